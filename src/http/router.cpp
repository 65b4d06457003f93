#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <flashsale/http.hpp>

#include "accept.hpp"
#include "allowed_methods.hpp"
#include "caching.hpp"
#include "characters.hpp"
#include "cors.hpp"

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

/// What a coroutine's route needs when it has answered. Asio moves a completion handler often, so
/// that has three words of its own.
struct async_route {
    coroutine run;
    std::string_view pattern;
    std::string_view cache_control;  ///< empty: no-store
    bool varies_by_accept;

    void start(const request& incoming, exchange reply) const {
        std::unique_ptr<const std::string> known;
        const std::string_view if_none_match = incoming.headers[header::if_none_match];
        if (!cache_control.empty() && !if_none_match.empty()) {
            known = std::make_unique<std::string>(if_none_match);
        }
        asio::co_spawn(run.io, run.function(incoming),
                       [this, known = std::move(known), reply = std::move(reply)](
                           const std::exception_ptr& thrown, response made) mutable {
                           if (thrown) {
                               log_exception(thrown, pattern, reply.request_name());
                               made = problem(problems::internal);
                           } else if (!cache_control.empty()) {
                               make_cacheable(made, cache_control,
                                              known ? *known : std::string_view{});
                           }
                           made.varies_by_accept = varies_by_accept;
                           reply.answer(std::move(made));
                       });
    }
};

}  // namespace

struct router::entry {
    route declared;
    handler handle;
    std::string_view before;  ///< the pattern, or what stands before its {…}
    std::string_view after;
    bool has_parameter = false;

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
            const std::vector<std::string_view>& query = declared.query;
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
    : problems_(protocol_problems().begin(), protocol_problems().end()),
      catalogue_cache_control_(catalogue_lines(catalogue_max_age)) {}
router::~router() = default;

void router::add(route made) {
    entry added{.declared = std::move(made), .handle = {}, .before = {}, .after = {}};
    const route& declared = added.declared;
    const std::size_t open = declared.pattern.find('{');
    added.has_parameter = open != std::string_view::npos;
    added.before = declared.pattern.substr(0, open);
    if (added.has_parameter) {
        added.after = declared.pattern.substr(declared.pattern.find('}', open) + 1);
    }
    if (const auto* plain = std::get_if<handler>(&declared.handle)) {
        added.handle = *plain;
    } else {
        const std::string_view cache_control =
            declared.kept_by == caching::its_person  ? "private, no-cache"
            : declared.kept_by == caching::everybody ? catalogue_cache_control_
                                                     : std::string_view{};
        added.handle = [run = std::make_shared<const async_route>(
                            std::get<coroutine>(declared.handle), declared.pattern, cache_control,
                            !declared.offers.empty())](const request& incoming, exchange reply) {
            run->start(incoming, std::move(reply));
        };
    }
    routes_.push_back(std::move(added));
}

std::vector<const route*> router::all() const {
    std::vector<const route*> out;
    for (const entry& each : routes_)
        out.push_back(&each.declared);
    return out;
}

void router::declare(problem_list types) {
    for (const problem_type* type : types) {
        if (std::ranges::find(problems_, type->code(), &problem_type::code) != problems_.end())
            throw std::logic_error("declared twice: " + std::string(type->code()));
        problems_.push_back(type);
    }
}

void router::dispatch(request& incoming, exchange reply) const {
    unsigned methods = 0;
    for (const entry& candidate : routes_) {
        std::string_view parameter;
        if (!candidate.matches(incoming.path, parameter)) continue;
        const route& declared = candidate.declared;
        if (declared.verb != incoming.verb) {
            methods |= bit_of(declared.verb);
            continue;
        }
        if (!incoming.query.empty()) {
            const auto fault = candidate.find_fault(incoming.query);
            if (fault) return reply.answer(problem(*fault));
        }
        if (incoming.body.size() > declared.limits.body_bytes_max) {
            return reply.answer(problem(problems::body_too_large));
        }
        incoming.parameter = parameter;
        if (!declared.offers.empty()) {
            incoming.media_type = preferred_type(incoming.headers[header::accept], declared.offers);
        }
        try {
            candidate.handle(incoming, std::move(reply));
        } catch (...) {
            // Unwinding has dropped the exchange, and thereby answered 500.
            log_exception(std::current_exception(), declared.pattern, incoming.name.to_string());
        }
        return;
    }
    answer_unmatched(incoming, methods, std::move(reply));
}

void router::answer_unmatched(const request& incoming, unsigned methods, exchange reply) const {
    if (incoming.path == "*" && incoming.verb == method::options) {
        // Of the server as a whole (RFC 9110, section 9.3.7).
        for (const entry& each : routes_)
            methods |= bit_of(each.declared.verb);
    }
    if (methods == 0) return reply.answer(problem(problems::not_found));
    response out = incoming.verb == method::options ? response{.status = 204}
                                                    : problem(problems::method_not_allowed);
    out.allow = allowed_methods(methods);
    if (incoming.preflight) out.header_lines = preflight_lines(methods);
    reply.answer(std::move(out));
}

}  // namespace flashsale::http
