// Stopping goes against the flow of an order: first balancers may see that it is coming, then
// no new request is let in, then what is inside is answered, made durable and recorded.

#include "process.hpp"

#include <sys/resource.h>

#include <spdlog/spdlog.h>

#include <thread>

#include "compose.hpp"
#include "probe.hpp"
#include "url.hpp"
#include "worker.hpp"

namespace flashsale::app {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// Every connection is a descriptor; the default of 1,024 would be the first limit to be met.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

std::size_t worker_count(const config& settings) {
    if (settings.http.workers != 0) return size_of(settings.http.workers);
    return std::max(1u, std::thread::hardware_concurrency() - 1);
}

}  // namespace

struct process::parts {
    explicit parts(const site& at)
        : settings(at.settings), behind(at.serve(worker_count(settings))) {}

    config settings;
    bool started = false;
    health state;
    std::unique_ptr<serving> behind;
    std::vector<std::unique_ptr<worker>> workers;
    std::unique_ptr<http::server> server;
};

process::process(const site& at) {
    raise_descriptor_limit();
    parts_ = std::make_unique<parts>(at);
    parts& all = *parts_;
    const config& settings = all.settings;
    all.state.shared = [&all] { return all.behind->dependencies(); };
    for (std::size_t i = 0; i < worker_count(settings); ++i) {
        all.workers.push_back(std::make_unique<worker>(settings, *all.behind, all.state));
    }
    std::vector<http::worker> served;
    for (const auto& one : all.workers)
        served.push_back(one->for_server());
    try {
        all.server = std::make_unique<http::server>(settings.http.address,
                                                    static_cast<std::uint16_t>(settings.http.port),
                                                    http_limits(settings), std::move(served));
    } catch (const boost::system::system_error& error) {
        throw config_error("http.address, http.port: cannot listen on " +
                           url_of(settings.http.address, settings.http.port) + ": " +
                           error.code().message());
    }
}

process::~process() {
    if (parts_->started) drain_and_stop();
}

std::uint16_t process::port() const {
    return parts_->server->port();
}

void process::start() {
    parts& all = *parts_;
    const auto until = steady::now() + ms_of(all.settings.process.start_timeout_ms);
    all.behind->start(until);
    all.started = true;
    for (const auto& one : all.workers)
        one->start();
    // A client may order as soon as the process listens. The servers answered a moment ago; if one
    // does not any more, readiness says so.
    for (const auto& one : all.workers) {
        while (!one->connected() && steady::now() < until)
            std::this_thread::sleep_for(5ms);
    }
    all.server->start();
}

void process::reload(const config& settings) {
    parts_->settings = settings;
    parts_->server->set_limits(http_limits(settings));
}

void process::drain_and_stop() {
    parts& all = *parts_;
    all.started = false;
    // Requests are served as before, but /readyz says that no more should come.
    all.state.draining = true;
    std::this_thread::sleep_for(ms_of(all.settings.process.drain_delay_ms));
    const auto until = steady::now() + ms_of(all.settings.process.drain_timeout_ms);
    const auto left = [until] {
        return std::max(
            0ms, std::chrono::duration_cast<std::chrono::milliseconds>(until - steady::now()));
    };
    all.server->stop();
    while (!all.server->drained() && left() > 0ms)
        std::this_thread::sleep_for(5ms);
    if (!all.server->drained()) spdlog::warn("requests are still in flight: their answers are cut");
    all.behind->drain(left);
    all.server->abort();
    for (const auto& one : all.workers)
        one->stop();
    all.behind->stop();
}

}  // namespace flashsale::app
