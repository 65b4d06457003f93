#pragma once

#include <memory>

#include "world.hpp"

namespace flashsale::test {

/// A Redis of this test's own, following the stack's.
class second_redis {
public:
    explicit second_redis(const std::filesystem::path& folder);

    std::uint16_t port() const { return port_; }
    std::string ask(std::vector<std::string> what) const;
    bool follows() const;
    std::string said() const { return server_->output(); }
    void signal(int which) { server_->kill(which); }

private:
    std::uint16_t port_;
    std::optional<process> server_;
};

/// In step, and the sale goes on: `orders` were accepted since. It serves for as long as a process
/// has it.
std::shared_ptr<second_redis> follow(world& w, std::uint64_t orders = 200);

}  // namespace flashsale::test
