#include "pooler.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "eventually.hpp"

namespace flashsale::test {

namespace {

std::string server_url() {
    const char* url = std::getenv("FLASHSALE_POSTGRES__STOCK_URL");
    if (!url) throw std::runtime_error("no server: script/stack up, then eval its env");
    return url;
}

/// Where "host:port" stands in a URL with a user and a password.
std::pair<std::size_t, std::size_t> place_in(const std::string& url) {
    const auto host = url.find('@') + 1;
    return {host, url.find('/', host) - host};
}

void write(const std::filesystem::path& file, const std::string& text) {
    std::ofstream(file) << text;
    std::filesystem::permissions(file, std::filesystem::perms{0644});
}

}  // namespace

pooler::pooler(const std::string& mode, const std::string& more) {
    const std::string url = server_url();
    const auto [at, length] = place_in(url);
    const std::string place = url.substr(at, length);
    const auto server_port = std::stoi(place.substr(place.find(':') + 1));
    port_ = static_cast<std::uint16_t>(server_port + 1);

    const std::string folder = folder_.path().string();
    std::filesystem::permissions(folder_.path(), std::filesystem::perms{0755});
    write(folder + "/users", "\"flashsale\" \"flashsale\"\n");
    write(folder + "/pgbouncer.ini",
          "[databases]\n* = host=127.0.0.1 port=" + std::to_string(server_port) +
              "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " + std::to_string(port_) +
              "\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = " + folder +
              "/users\npool_mode = " + mode +
              "\ndefault_pool_size = 60\nmax_client_conn = 500\nstats_users = flashsale\n" + more +
              "\n");
    std::vector<std::string> command{"/usr/sbin/pgbouncer", folder + "/pgbouncer.ini"};
    if (::geteuid() == 0) {  // which it refuses to run as
        command.insert(command.begin(),
                       {"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"});
    }
    process_.emplace(command);
    const bool answers = eventually(std::chrono::seconds{60}, [&] {
        return log().find("process up") != std::string::npos || !process_->running();
    });
    if (!answers || !process_->running())
        throw std::runtime_error("pgbouncer does not start:\n" + log());
}

std::string pooler::through(const std::string& url) const {
    auto out = url;
    const auto [at, length] = place_in(url);
    return out.replace(at, length, "127.0.0.1:" + std::to_string(port_));
}

}  // namespace flashsale::test
