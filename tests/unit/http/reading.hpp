#pragma once

// A request_reader fed as a connection feeds it, and what came out.

#include <catch2/catch.hpp>

#include "request_reader.hpp"

namespace flashsale::http {

using namespace std::string_literals;

inline const limits default_limits;

struct outcome {
    bool complete = false;
    bool refused = false;
    const problem_type* type = nullptr;
    std::string field;
    bool keep_alive = false;
    bool head_only = false;
    method verb{};
    std::string path, query, body, key, name, if_none_match;

    bool operator==(const outcome&) const = default;
};

inline outcome outcome_of(bool complete, const parsed_request& found) {
    outcome result;
    result.complete = complete;
    if (!complete) return result;
    result.keep_alive = found.keep_alive;
    result.name = found.incoming.name.taken;
    if (found.refused) {
        result.refused = true;
        result.type = found.refused->type;
        result.field = found.refused->field;
        return result;
    }
    result.head_only = found.head_only;
    result.verb = found.incoming.verb;
    result.path = found.incoming.path;
    result.query = found.incoming.query;
    result.body = found.incoming.body;
    result.key = found.incoming.idempotency_key;
    result.if_none_match = found.incoming.headers[header::if_none_match];
    return result;
}

/// All outcomes of a stream that arrives in the given pieces, as a connection would read it.
inline std::vector<outcome> read_pieces(const std::vector<std::string_view>& pieces,
                                        const limits& bounds = default_limits) {
    request_reader reader(bounds);
    std::vector<outcome> outcomes;
    std::string arrived;
    for (const auto piece : pieces) {
        arrived += piece;
        while (!arrived.empty()) {
            // A copy of its exact size, so that a sanitizer sees a read past the end.
            const std::vector<char> input(arrived.begin(), arrived.end());
            parsed_request found;
            const bool complete = reader.read({input.data(), input.size()}, found);
            if (complete) outcomes.push_back(outcome_of(complete, found));
            arrived.erase(0, found.bytes);
            if (!complete) break;
            if (!found.keep_alive) return outcomes;
        }
    }
    return outcomes;
}

inline std::vector<outcome> read_all(std::string_view text, const limits& bounds = default_limits) {
    return read_pieces({text}, bounds);
}

inline outcome read_one(std::string_view text, const limits& bounds = default_limits) {
    const auto outcomes = read_all(text, bounds);
    REQUIRE(outcomes.size() == 1);
    return outcomes[0];
}

inline const auto plain_get = "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"s;
inline const auto plain_post =
    "POST /v1/orders?dry=1 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    "idempotency-key: k-1\r\nContent-Length: 7\r\n\r\n{\"a\":1}"s;

inline std::string with_header(std::string_view lines) {
    return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n";
}

inline std::string post_with(std::string_view lines, std::string_view body) {
    return "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + std::string(lines) +
           "\r\n" + std::string(body);
}

inline std::string in_chunks(std::string_view chunks) {
    return post_with("Transfer-Encoding: chunked\r\n", chunks);
}

}  // namespace flashsale::http
