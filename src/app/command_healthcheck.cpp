#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <cstdio>

#include <flashsale/app.hpp>
#include <flashsale/base/async.hpp>

#include "commands.hpp"
#include "url.hpp"

namespace flashsale::app {

namespace beast = boost::beast;

namespace {

constexpr std::chrono::seconds patience{3};

http_endpoint parse_url(const std::string& url) {
    auto found = parse_http_url(url);
    if (!found) throw config_error("--url: expected http://host:port or http://[address]:port");
    return std::move(*found);
}

/// A wildcard address is listened on, but not connected to.
http_endpoint endpoint_of(const config& settings) {
    std::string host = settings.http.address;
    if (host == "0.0.0.0") host = "127.0.0.1";
    if (host == "::") host = "::1";
    return {host, std::to_string(settings.http.port)};
}

}  // namespace

int healthcheck(const config& settings, const std::string& url, bool live) {
    const http_endpoint to = url.empty() ? endpoint_of(settings) : parse_url(url);
    const std::string authority = authority_of(to.host, to.port);
    // A process that answers by certain names only is asked by one of them.
    const auto names = url.empty() ? settings.hosts() : std::vector<std::string>{};
    beast::http::request<beast::http::empty_body> request{beast::http::verb::get,
                                                          live ? "/livez" : "/readyz", 11};
    request.set(beast::http::field::host, names.empty() ? authority : names.front());
    request.set(beast::http::field::connection, "close");

    asio::io_context io;
    beast::tcp_stream stream(io);
    beast::flat_buffer buffer;
    beast::http::response<beast::http::string_body> response;
    boost::system::error_code failed = asio::error::timed_out;
    asio::ip::tcp::resolver resolver(io);
    boost::system::error_code unresolved;
    const auto endpoints = resolver.resolve(to.host, to.port, unresolved);
    if (!unresolved) {
        stream.expires_after(patience);
        stream.async_connect(endpoints, [&](auto error, const auto&) {
            if (error) return void(failed = error);
            beast::http::async_write(stream, request, [&](auto written, std::size_t) {
                if (written) return void(failed = written);
                beast::http::async_read(stream, buffer, response,
                                        [&](auto read, std::size_t) { failed = read; });
            });
        });
        io.run();
    } else {
        failed = unresolved;
    }
    if (failed) {
        std::fprintf(stderr, "flashsale does not answer at http://%s: %s\n", authority.c_str(),
                     failed.message().c_str());
        return exit_does_not_hold;
    }
    if (response.result() == beast::http::status::ok) return exit_ok;
    std::fprintf(stderr, "%s\n", response.body().c_str());
    return exit_does_not_hold;
}

}  // namespace flashsale::app
