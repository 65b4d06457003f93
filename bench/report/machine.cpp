#include "report/machine.hpp"

#include <spdlog/fmt/fmt.h>
#include <sys/utsname.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <flashsale/postgres.hpp>
#include <flashsale/redis.hpp>
#include <fstream>
#include <thread>

#include "load/connection.hpp"

namespace flashsale::bench {

namespace {

std::string first_line_value(const char* path, std::string_view name) {
    std::ifstream file{path};
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with(name)) continue;
        const auto value = line.find_first_not_of(" \t", line.find(':') + 1);
        return value == line.npos ? std::string{} : line.substr(value);
    }
    return "unknown";
}

std::string kernel() {
    utsname name{};
    return uname(&name) == 0 ? std::string{name.sysname} + " " + name.release : "unknown";
}

std::string now() {
    return to_rfc3339(std::chrono::floor<std::chrono::seconds>(wall_clock_now()));
}

std::string redis_version(const std::string& url) {
    asio::io_context io;
    redis::options settings;
    settings.url = url;
    redis::client client{io, settings};
    client.start();
    for (int i = 0; i < 200 && !client.ready(); ++i)
        io.run_for(std::chrono::milliseconds{10});
    std::string text;
    bool done = false;
    const std::string_view command[] = {"INFO", "server"};
    client.command(command, [&](redis::result reply) {
        if (reply) text = reply->text;
        done = true;
    });
    while (!done)
        io.run_one();
    client.stop();
    io.restart();
    io.poll();
    constexpr std::string_view name = "redis_version:";
    const auto at = text.find(name);
    if (at == text.npos) return "unknown";
    return text.substr(at + name.size(), text.find_first_of("\r\n", at) - at - name.size());
}

std::string postgres_version(const std::string& url) {
    postgres::options settings;
    settings.url = with_database(url, "postgres");
    postgres::session session{settings};
    const auto found = session.execute("SELECT current_setting('server_version')");
    return found && !found->empty() ? std::string{found->text(0, 0)} : "unknown";
}

/// The broker greets with its properties: `version`, a long string, is among them.
std::string version_in_greeting(std::string_view frame) {
    constexpr std::string_view name =
        "\x07version"
        "S";
    constexpr std::size_t length_bytes = 4;
    const auto at = frame.find(name);
    if (at == frame.npos || frame.size() < at + name.size() + length_bytes) return "unknown";
    const auto begin = at + name.size() + length_bytes;
    const auto length = static_cast<unsigned char>(frame[begin - 1]);
    return std::string{frame.substr(begin, length)};
}

std::string rabbitmq_version(std::string url) {
    using asio::ip::tcp;
    const auto at = url.rfind('@');
    const auto scheme = url.find("://");
    auto server = url.substr(at != url.npos ? at + 1 : scheme + 3);
    server = server.substr(0, server.find('/'));
    const auto to = parse_target("http://" + server);
    if (!to) return "unknown";
    asio::io_context io;
    tcp::socket socket{io};
    boost::system::error_code fault;
    socket.connect(to->address, fault);
    asio::write(socket, asio::buffer(std::string_view{"AMQP\0\0\x09\x01", 8}), fault);
    std::string frame(4'096, '\0');
    const auto bytes = fault ? 0 : socket.read_some(asio::buffer(frame), fault);
    return version_in_greeting(std::string_view{frame}.substr(0, bytes));
}

std::string trimmed(std::string text) {
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> machine_facts(const workplace& where) {
    std::ifstream load{"/proc/loadavg"};
    std::string load_1;
    load >> load_1;
    std::vector<std::pair<std::string, std::string>> facts{
        {"time", now()},
        {"cpu", first_line_value("/proc/cpuinfo", "model name")},
        {"cores", std::to_string(std::thread::hardware_concurrency())},
        {"memory", first_line_value("/proc/meminfo", "MemTotal")},
        {"load_before", load_1},
        {"kernel", kernel()},
        {"compiler", __VERSION__},
        {"build", FLASHSALE_BUILD_TYPE},
        {"flashsale", trimmed(run_command({where.flashsale, "--version"}))},
        {"config", where.config}};
    if (where.folder) {
        facts.emplace_back("data", std::filesystem::absolute(*where.folder).string());
        return facts;
    }
    facts.emplace_back("redis", redis_version(where.servers.redis));
    facts.emplace_back("rabbitmq", rabbitmq_version(where.servers.amqp));
    facts.emplace_back("postgresql", postgres_version(where.servers.order));
    for (const auto& [name, variable] : {std::pair{"idle class", "FLASHSALE_STACK_IDLE"},
                                         std::pair{"kept to cpus", "FLASHSALE_STACK_CPUS"}}) {
        const char* const value = std::getenv(variable);
        if (value != nullptr && *value != 0) facts.emplace_back(name, value);
    }
    return facts;
}

std::string facts_table(const std::vector<std::pair<std::string, std::string>>& facts) {
    std::string out;
    for (const auto& [name, value] : facts)
        out += fmt::format("{:<12} {}\n", name, value);
    return out;
}

boost::json::object facts_json(const std::vector<std::pair<std::string, std::string>>& facts) {
    boost::json::object all;
    for (const auto& [name, value] : facts)
        all[name] = value;
    return all;
}

}  // namespace flashsale::bench
