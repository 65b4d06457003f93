#include "stack.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>

#include "process.hpp"

namespace flashsale::test {

namespace {

std::string name_of(stack::server which) {
    switch (which) {
        case stack::server::redis:
            return "redis";
        case stack::server::rabbitmq:
            return "rabbitmq";
        case stack::server::postgres:
            return "postgres";
    }
    std::abort();
}

std::vector<std::string> joined(std::string first, const std::vector<std::string>& rest) {
    std::vector<std::string> all{std::move(first)};
    all.insert(all.end(), rest.begin(), rest.end());
    return all;
}

}  // namespace

std::string stack::script(std::vector<std::string> arguments) {
    const char* path = std::getenv("FLASHSALE_STACK");
    if (path == nullptr || *path == '\0') {
        throw std::runtime_error(
            "FLASHSALE_STACK is not set: run script/test, or start the servers: script/stack up, "
            "then eval \"$(script/stack env)\"");
    }
    return run_or_throw(joined(path, arguments), {}, std::chrono::seconds{150});
}

void stack::kill(server which) {
    script({"kill", name_of(which)});
}
void stack::stop(server which) {
    script({"stop", name_of(which)});
}
void stack::resume(server which) {
    script({"cont", name_of(which)});
}
void stack::shutdown(server which) {
    script({"shutdown", name_of(which)});
}
void stack::start(server which) {
    script({"start", name_of(which)});
}
void stack::restart(server which) {
    script({"restart", name_of(which)});
}
void stack::restart_empty(server which) {
    script({"restart", "--fresh", name_of(which)});
}

std::string stack::redis_cli(const std::vector<std::string>& arguments) {
    return script(joined("redis-cli", arguments));
}
std::string stack::rabbitmqctl(const std::vector<std::string>& arguments) {
    return script(joined("rabbitmqctl", arguments));
}
std::string stack::psql(const std::vector<std::string>& arguments) {
    return script(joined("psql", arguments));
}

outage::outage(stack::server which, kind how) : which_{which} {
    switch (how) {
        case kind::killed:
            stack::kill(which);
            break;
        case kind::stopped:
            stack::stop(which);
            break;
        case kind::shut_down:
            stack::shutdown(which);
            break;
    }
}

outage::~outage() {
    try {
        end();
    } catch (const std::exception& fault) {
        std::fprintf(stderr, "%s\n", fault.what());
    }
}

void outage::end() {
    if (over_) return;
    stack::start(which_);  // wakes what is stopped, starts what is gone
    over_ = true;
}

}  // namespace flashsale::test
