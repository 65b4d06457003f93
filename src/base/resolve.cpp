#include <flashsale/base/resolve.hpp>

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <memory>

namespace flashsale {

namespace {

struct freer {
    void operator()(addrinfo* found) const noexcept { freeaddrinfo(found); }
};

}  // namespace

std::expected<std::vector<std::string>, std::string> addresses_of(const std::string& host) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int code = getaddrinfo(host.c_str(), nullptr, &wanted, &found); code != 0)
        return std::unexpected("cannot resolve " + host + ": " + gai_strerror(code));
    const std::unique_ptr<addrinfo, freer> owned(found);
    std::vector<std::string> out;
    for (const auto* one = found; one != nullptr; one = one->ai_next) {
        std::array<char, NI_MAXHOST> text{};
        if (getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0,
                        NI_NUMERICHOST) != 0)
            continue;
        if (std::ranges::find(out, text.data()) == out.end()) out.emplace_back(text.data());
    }
    if (out.empty()) return std::unexpected("cannot resolve " + host + ": it has no address");
    return out;
}

}  // namespace flashsale
