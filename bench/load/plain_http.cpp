#include "load/plain_http.hpp"

#include <boost/asio/write.hpp>
#include <charconv>
#include <stdexcept>

namespace flashsale::bench {

plain_http::plain_http(asio::io_context& io, const target& to) : host_{to.host}, socket_{io} {
    socket_.connect(to.address);
    socket_.set_option(asio::ip::tcp::no_delay{true});
}

plain_answer plain_http::send(std::string_view request) {
    asio::write(socket_, asio::buffer(request));
    response_reader reader;
    std::size_t received = 0;
    while (true) {
        const auto room = reader.prepare();
        const auto bytes = socket_.read_some(asio::buffer(room.data(), room.size()));
        received += bytes;
        reader.commit(bytes);
        switch (reader.parse()) {
            case response_reader::state::need_more:
                continue;
            case response_reader::state::malformed:
                throw std::runtime_error("http://" + host_ + " does not answer in HTTP/1.1");
            case response_reader::state::complete:
                return {reader.status(), received, std::string{reader.body()}};
        }
    }
}

plain_answer plain_http::get(std::string_view path) {
    return send("GET " + std::string{path} + " HTTP/1.1\r\nHost: " + host_ + "\r\n\r\n");
}

std::int64_t metric_in(std::string_view text, std::string_view name) {
    for (std::size_t at = 0; (at = text.find(name, at)) != text.npos; at += name.size()) {
        const auto end = at + name.size();
        const bool whole_line = at == 0 || text[at - 1] == '\n';
        if (!whole_line || end >= text.size() || text[end] != ' ') continue;
        std::int64_t value = 0;
        std::from_chars(text.data() + end + 1, text.data() + text.size(), value);
        return value;
    }
    return 0;
}

}  // namespace flashsale::bench
