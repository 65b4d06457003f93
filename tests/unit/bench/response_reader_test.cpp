#include "load/response_reader.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <string>

using flashsale::bench::problem_code_of;
using flashsale::bench::response_reader;
using state = response_reader::state;

namespace {

void feed(response_reader& reader, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto room = reader.prepare();
        const auto n = std::min(room.size(), bytes.size());
        std::memcpy(room.data(), bytes.data(), n);
        reader.commit(n);
        bytes.remove_prefix(n);
    }
}

state parse(std::string_view bytes) {
    response_reader reader;
    feed(reader, bytes);
    return reader.parse();
}

constexpr std::string_view refusal =
    "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 14\r\nRetry-After:  7 \r\n"
    "CONNECTION: close\r\n\r\n{\"code\":\"busy\"}";

}  // namespace

TEST_CASE("response reader: any split of the bytes gives the same answer") {
    const std::string bytes =
        "HTTP/1.1 100 Continue\r\n\r\n"
        "HTTP/1.1 201 Created\r\nIdempotent-Replayed: true\r\nContent-Length: 5\r\n\r\nhello";
    for (std::size_t split = 0; split <= bytes.size(); ++split) {
        response_reader reader;
        feed(reader, std::string_view{bytes}.substr(0, split));
        if (split < bytes.size()) REQUIRE(reader.parse() == state::need_more);
        feed(reader, std::string_view{bytes}.substr(split));
        REQUIRE(reader.parse() == state::complete);
        CHECK(reader.status() == 201);
        CHECK(reader.body() == "hello");
        CHECK(reader.replayed());
        CHECK_FALSE(reader.close());
        reader.consume();
        CHECK(reader.empty());
    }
}

TEST_CASE("response reader: the next answer starts afresh") {
    response_reader reader;
    feed(reader,
         "HTTP/1.1 503 x\r\nContent-Length: 0\r\nRetry-After: 7\r\nConnection: close\r\n\r\n"
         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    REQUIRE(reader.parse() == state::complete);
    CHECK(reader.retry_after_s() == 7);
    CHECK(reader.close());
    CHECK(reader.body().empty());
    reader.consume();
    REQUIRE(reader.parse() == state::complete);
    CHECK(reader.status() == 200);
    CHECK(reader.retry_after_s() == 0);
    CHECK_FALSE(reader.close());
    CHECK(reader.body() == "hi");
}

TEST_CASE("response reader: bodies larger than the buffer") {
    const std::string body(100'000, 'x');
    response_reader reader;
    feed(reader, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    CHECK(reader.parse() == state::need_more);
    feed(reader, body);
    REQUIRE(reader.parse() == state::complete);
    CHECK(reader.body() == body);
}

TEST_CASE("response reader: no body, no length needed") {
    CHECK(parse("HTTP/1.1 204 No Content\r\n\r\n") == state::complete);
    CHECK(parse("HTTP/1.1 304\r\n\r\n") == state::complete);
}

TEST_CASE("response reader: what it cannot read is malformed, never guessed") {
    const std::string_view malformed[] = {
        "HTTP/1.1 200 OK\r\n\r\n",                                            // no length
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",              //
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",  //
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",                      //
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",    //
        "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n",                       //
        "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",                      //
        "HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n",                         //
        "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n",           //
        "\r\n\r\n",
    };
    for (const auto bytes : malformed) {
        INFO(bytes);
        CHECK(parse(bytes) == state::malformed);
    }
    CHECK(parse(std::string(response_reader::head_bytes_max + 1, 'x')) == state::malformed);
}

TEST_CASE("response reader: names in any case, values trimmed") {
    response_reader reader;
    feed(reader, refusal);
    REQUIRE(reader.parse() == state::complete);
    CHECK(reader.retry_after_s() == 7);
    CHECK(reader.close());
    CHECK(parse("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n") == state::complete);
}

TEST_CASE("problem code: found in the document, not in a text within it") {
    CHECK(problem_code_of(R"({"status":409,"code":"high_traffic","detail":"x"})") ==
          "high_traffic");
    CHECK(problem_code_of("{ \"code\" : \"a\" }") == "a");
    CHECK(problem_code_of(R"({"detail":"\"code\":\"fake\"","code":"real"})") == "real");
    CHECK(problem_code_of("{}").empty());
    CHECK(problem_code_of(R"({"code":7})").empty());
    CHECK(problem_code_of(R"({"code":"open)").empty());
}
