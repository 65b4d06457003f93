#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <flashsale/http.hpp>

namespace flashsale::http {

namespace {

/// RFC 3986's unreserved characters: ids need no others, and what is percent-encoded matches
/// nothing.
bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void log_exception(const std::exception_ptr& thrown, std::string_view path) {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
        spdlog::error("http: the handler of {} threw: {}", path, error.what());
    } catch (...) {
        spdlog::error("http: the handler of {} threw something that is no std::exception", path);
    }
}

}  // namespace

struct router::route {
    method verb;
    std::string pattern;
    std::string_view before;  ///< the pattern, or what stands before its {…}
    std::string_view after;
    bool has_parameter = false;
    handler handle;

    bool matches(std::string_view path, std::string_view& parameter) const {
        if (!has_parameter) return path == before;
        if (path.size() <= before.size() + after.size() || !path.starts_with(before) ||
            !path.ends_with(after)) {
            return false;
        }
        const auto segment = path.substr(before.size(), path.size() - before.size() - after.size());
        if (!std::ranges::all_of(segment, is_plain)) return false;
        parameter = segment;
        return true;
    }
};

router::router() = default;
router::~router() = default;

void router::add(method verb, std::string pattern, handler handle) {
    route& made = routes_.emplace_back(
        route{.verb = verb, .pattern = {}, .before = {}, .after = {}, .handle = std::move(handle)});
    made.pattern = std::move(pattern);
    // Views are made again for all: growing the vector has moved the short strings.
    for (route& each : routes_) {
        const std::string_view text = each.pattern;
        const std::size_t open = text.find('{');
        each.has_parameter = open != std::string_view::npos;
        each.before = text.substr(0, open);
        if (each.has_parameter) each.after = text.substr(text.find('}', open) + 1);
    }
}

void router::add_async(asio::io_context& io, method verb, std::string pattern,
                       std::function<awaitable<response>(const request&)> function) {
    std::string name = pattern;
    add(verb, std::move(pattern),
        [&io, name = std::move(name), function = std::move(function)](const request& incoming,
                                                                      exchange reply) {
            asio::co_spawn(io, function(incoming),
                           [&name, reply = std::move(reply)](const std::exception_ptr& thrown,
                                                             response made) mutable {
                               if (thrown) return log_exception(thrown, name);
                               reply.answer(std::move(made));
                           });
        });
}

void router::dispatch(request& incoming, exchange reply) const {
    bool allows_get = false;
    bool allows_post = false;
    for (const route& candidate : routes_) {
        std::string_view parameter;
        if (!candidate.matches(incoming.path, parameter)) continue;
        if (candidate.verb == incoming.verb) {
            incoming.parameter = parameter;
            try {
                candidate.handle(incoming, std::move(reply));
            } catch (...) {
                // Unwinding has dropped the exchange, and thereby answered 500.
                log_exception(std::current_exception(), candidate.pattern);
            }
            return;
        }
        (candidate.verb == method::get ? allows_get : allows_post) = true;
    }
    if (!allows_get && !allows_post) return reply.answer(problem(problem_code::not_found));
    response refused = problem(problem_code::method_not_allowed);
    refused.allow = !allows_post ? "GET, HEAD" : !allows_get ? "POST" : "GET, HEAD, POST";
    reply.answer(std::move(refused));
}

}  // namespace flashsale::http
