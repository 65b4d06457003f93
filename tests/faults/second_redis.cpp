#include "second_redis.hpp"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace flashsale::test {

namespace fs = std::filesystem;

namespace {

int stack_port() {
    return std::stoi(std::getenv("FLASHSALE_STACK_PORT"));
}

}  // namespace

second_redis::second_redis(const fs::path& folder)
    : port_(static_cast<std::uint16_t>(stack_port() + 390)) {
    fs::create_directory(folder);
    server_.emplace(std::vector<std::string>{
        "redis-server", "--bind", "127.0.0.1", "--port", std::to_string(port_), "--dir",
        folder.string(), "--save", "", "--maxmemory-policy", "noeviction", "--repl-backlog-ttl",
        "0", "--replicaof", "127.0.0.1", std::to_string(stack_port() + 379)});
}

std::string second_redis::ask(std::vector<std::string> what) const {
    what.insert(what.begin(), {"redis-cli", "-p", std::to_string(port_)});
    return run(what).output;
}

bool second_redis::follows() const {
    return ask({"INFO", "replication"}).find("master_link_status:up") != std::string::npos;
}

std::shared_ptr<second_redis> follow(world& w, std::uint64_t orders) {
    const auto folder = fs::path(std::getenv("FLASHSALE_STACK_DIR")) / "redis-second";
    w.undo_later([folder] {
        fs::remove_all(folder);
        stack::start(stack::server::redis);
    });
    fs::remove_all(folder);
    auto second = std::make_shared<second_redis>(folder);
    try {
        w.until("a replica in step", [&] { return second->follows(); });
    } catch (const std::runtime_error& why) {
        throw std::runtime_error(why.what() + (":\n" + second->said()));
    }
    // The first replica of a master gives it another replication id, which closes the gate.
    w.sell(orders);
    return second;
}

}  // namespace flashsale::test
