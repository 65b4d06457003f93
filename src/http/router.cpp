#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <flashsale/http.hpp>

#include "caching.hpp"
#include "characters.hpp"

namespace flashsale::http {

namespace {

void log_exception(const std::exception_ptr& thrown, std::string_view path,
                   std::string_view request) {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
        spdlog::error("http: request {}: the handler of {} threw: {}", request, path, error.what());
    } catch (...) {
        spdlog::error("http: request {}: the handler of {} threw something that is no exception",
                      request, path);
    }
}

std::string catalogue_lines(std::chrono::seconds max_age) {
    return max_age.count() == 0 ? "" : "public, max-age=" + std::to_string(max_age.count());
}

}  // namespace

struct router::route {
    method verb;
    std::string pattern;
    std::string_view before;  ///< the pattern, or what stands before its {…}
    std::string_view after;
    bool has_parameter = false;
    handler handle;
    std::vector<std::string_view> query;  ///< parameters that it knows

    bool matches(std::string_view path, std::string_view& parameter) const {
        if (!has_parameter) return path == before;
        if (path.size() <= before.size() + after.size() || !path.starts_with(before) ||
            !path.ends_with(after)) {
            return false;
        }
        const auto segment = path.substr(before.size(), path.size() - before.size() - after.size());
        // Ids need no others, and what is percent-encoded matches nothing.
        if (!std::ranges::all_of(segment, is_unreserved)) return false;
        parameter = segment;
        return true;
    }

    /// Of the query: a parameter that this route does not know, or one that comes twice.
    std::optional<field_fault> find_fault(std::string_view text) const {
        std::vector<std::string_view> seen;
        while (!text.empty()) {
            const std::string_view one = text.substr(0, text.find('&'));
            text.remove_prefix(std::min(one.size() + 1, text.size()));
            const std::string_view name = one.substr(0, one.find('='));
            const bool known = std::ranges::find(query, name) != query.end();
            if (!known || std::ranges::find(seen, name) != seen.end()) {
                std::string expected = known ? "at most once" : "no such parameter; known are";
                for (const auto& other : query) {
                    if (!known)
                        expected.append(&other == &query.front() ? " " : ", ").append(other);
                }
                if (query.empty()) expected = "no such parameter; there are none here";
                return field_fault{std::string(name), std::move(expected)};
            }
            seen.push_back(name);
        }
        return std::nullopt;
    }
};

router::router(std::chrono::seconds catalogue_max_age)
    : catalogue_cache_control_(catalogue_lines(catalogue_max_age)) {}
router::~router() = default;

void router::add(method verb, std::string pattern, handler handle, route_options options) {
    route& made = routes_.emplace_back(route{.verb = verb,
                                             .pattern = {},
                                             .before = {},
                                             .after = {},
                                             .handle = std::move(handle),
                                             .query = std::move(options.query)});
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

namespace {

/// What a coroutine's route needs when it has answered. Asio moves a completion handler often, so
/// that has three words of its own.
struct async_route {
    asio::io_context& io;
    std::string pattern;
    std::function<awaitable<response>(const request&)> function;
    std::string_view cache_control;  ///< empty: no-store

    void start(const request& incoming, exchange reply) const {
        std::unique_ptr<const std::string> known;
        if (!cache_control.empty() && !incoming.if_none_match.empty()) {
            known = std::make_unique<std::string>(incoming.if_none_match);
        }
        asio::co_spawn(io, function(incoming),
                       [this, known = std::move(known), reply = std::move(reply)](
                           const std::exception_ptr& thrown, response made) mutable {
                           if (thrown) {
                               log_exception(thrown, pattern, reply.request_name());
                               made = problem(problem_code::internal);
                           } else if (!cache_control.empty()) {
                               make_cacheable(made, cache_control,
                                              known ? *known : std::string_view{});
                           }
                           reply.answer(std::move(made));
                       });
    }
};

}  // namespace

void router::add_async(asio::io_context& io, method verb, std::string pattern,
                       std::function<awaitable<response>(const request&)> function,
                       route_options options) {
    auto made = std::make_shared<async_route>(io, pattern, std::move(function), std::string_view{});
    if (options.kept_by == caching::its_person) made->cache_control = "private, no-cache";
    if (options.kept_by == caching::everybody) made->cache_control = catalogue_cache_control_;
    add(
        verb, std::move(pattern),
        [made = std::move(made)](const request& incoming, exchange reply) {
            made->start(incoming, std::move(reply));
        },
        std::move(options));
}

void router::dispatch(request& incoming, exchange reply) const {
    bool allows_get = false;
    bool allows_post = false;
    for (const route& candidate : routes_) {
        std::string_view parameter;
        if (!candidate.matches(incoming.path, parameter)) continue;
        if (candidate.verb == incoming.verb) {
            if (!incoming.query.empty()) {
                const auto fault = candidate.find_fault(incoming.query);
                if (fault) return reply.answer(problem(*fault));
            }
            incoming.parameter = parameter;
            try {
                candidate.handle(incoming, std::move(reply));
            } catch (...) {
                // Unwinding has dropped the exchange, and thereby answered 500.
                log_exception(std::current_exception(), candidate.pattern,
                              incoming.name.to_string());
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
