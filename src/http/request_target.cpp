#include "request_target.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address_v6.hpp>
#include <boost/beast/core/string.hpp>
#include <flashsale/http.hpp>

#include "characters.hpp"

namespace flashsale::http {

namespace {

bool iequals(std::string_view one, std::string_view other) {
    return boost::beast::iequals({one.data(), one.size()}, {other.data(), other.size()});
}

constexpr bool is_hex_digit(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

constexpr bool is_name_character(char c) {
    return is_unreserved(c) || std::string_view("!$&'()*+,;=").find(c) != std::string_view::npos;
}

constexpr auto name_characters = [] {
    std::array<bool, 256> table{};
    for (std::size_t i = 0; i < table.size(); ++i)
        table[i] = is_name_character(static_cast<char>(i));
    return table;
}();

/// Bytes of the registered name, or IPv4 address, that `text` begins with.
std::size_t name_bytes(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        if (name_characters[static_cast<unsigned char>(text[at])]) {
            ++at;
        } else if (text[at] == '%' && text.size() - at > 2 && is_hex_digit(text[at + 1]) &&
                   is_hex_digit(text[at + 2])) {
            at += 3;
        } else {
            break;
        }
    }
    return at;
}

/// Of an address in brackets; 0 if it is none.
std::size_t literal_bytes(std::string_view text) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return 0;
    const std::string_view inside = text.substr(1, end - 1);
    const auto of_address = [](char c) { return is_hex_digit(c) || c == ':' || c == '.'; };
    if (!std::ranges::all_of(inside, of_address)) return 0;
    boost::system::error_code ec;
    boost::asio::ip::make_address_v6(std::string(inside), ec);
    return ec ? 0 : end + 1;
}

std::size_t host_bytes(std::string_view text) {
    return text.starts_with('[') ? literal_bytes(text) : name_bytes(text);
}

}  // namespace

bool is_host(std::string_view text) {
    const std::size_t bytes = host_bytes(text);
    if (bytes == text.size()) return true;
    if (text[bytes] != ':' || bytes == 0) return false;
    return std::ranges::all_of(text.substr(bytes + 1), is_digit);
}

bool is_one_of(std::string_view host, const std::vector<std::string>& hosts) {
    const std::string_view without_port = host.substr(0, host_bytes(host));
    return std::ranges::any_of(hosts, [&](const std::string& one) {
        return iequals(one, host) || iequals(one, without_port);
    });
}

std::optional<request_target> parse_target(std::string_view text) {
    request_target parts;
    if (!text.starts_with('/')) {
        for (const std::string_view scheme : {"http://", "https://"}) {
            if (!iequals(text.substr(0, scheme.size()), scheme)) continue;
            text.remove_prefix(scheme.size());
            parts.authority = text.substr(0, text.find_first_of("/?"));
            if (host_bytes(parts.authority) == 0 || !is_host(parts.authority)) return std::nullopt;
            text.remove_prefix(parts.authority.size());
            if (!text.starts_with('/')) parts.path = "/";
            break;
        }
    }
    const std::size_t question = text.find('?');
    if (parts.path.empty()) parts.path = text.substr(0, question);
    if (question != std::string_view::npos) parts.query = text.substr(question + 1);
    return parts;
}

}  // namespace flashsale::http
