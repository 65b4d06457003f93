#include "flashsale_process.hpp"

#include <charconv>
#include <cstdlib>
#include <stdexcept>

#include "eventually.hpp"

namespace flashsale::test {

namespace {

environment with_free_port(environment variables, const environment& extra) {
    variables["FLASHSALE_HTTP__PORT"] = "0";
    for (const auto& [key, value] : extra)
        variables[key] = value;
    return variables;
}

/// The port in the line `listening on http://127.0.0.1:PORT`; 0 if the line is not there, whole.
std::uint16_t port_in(const std::string& log) {
    constexpr std::string_view announcement = "listening on http://";
    const auto at = log.find(announcement);
    if (at == std::string::npos) return 0;
    const auto end = log.find('\n', at);
    if (end == std::string::npos) return 0;
    const auto colon = log.rfind(':', end);
    std::uint16_t port = 0;
    std::from_chars(log.data() + colon + 1, log.data() + end, port);
    return port;
}

}  // namespace

std::string flashsale_binary() {
    if (const char* other = std::getenv("FLASHSALE_UNDER_TEST")) return other;
#ifdef FLASHSALE_BINARY
    return FLASHSALE_BINARY;
#else
    throw std::runtime_error("this build has no executable 'flashsale'");
#endif
}

std::string bench_binary() {
#ifdef FLASHSALE_BENCH_BINARY
    return FLASHSALE_BENCH_BINARY;
#else
    throw std::runtime_error("this build has no executable 'flashsale-bench'");
#endif
}

std::string stack_config() {
    return FLASHSALE_SOURCE_DIR "/config/stack.json";
}

std::string embedded_config() {
    return FLASHSALE_SOURCE_DIR "/config/embedded.json";
}

flashsale_process::flashsale_process(const sandbox& world, const environment& extra,
                                     std::chrono::milliseconds limit)
    : process_{{flashsale_binary(), "serve", "--config", world.config_file()},
               with_free_port(world.variables(), extra)} {
    eventually(limit, [&] {
        port_ = port_in(log());
        return port_ != 0 || !process_.running();
    });
    if (port_ == 0) {
        throw std::runtime_error(
            "flashsale serve " +
            std::string{process_.running()
                            ? "does not listen after " + std::to_string(limit.count()) + " ms"
                            : "ended"} +
            "; its log:\n" + log());
    }
}

std::optional<int> flashsale_process::terminate(std::chrono::milliseconds limit) {
    process_.kill(SIGTERM);
    return process_.wait(limit);
}

}  // namespace flashsale::test
