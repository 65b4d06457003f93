#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <flashsale/app.hpp>

#include "commands.hpp"
#include "log_output.hpp"
#include "metrics.hpp"
#include "process.hpp"
#include "reload.hpp"
#include "url.hpp"

namespace flashsale::app {

namespace {

std::string joined(const std::vector<std::string_view>& names) {
    std::string out;
    for (const auto name : names)
        out.append(out.empty() ? "" : ", ").append(name);
    return out;
}

/// On SIGHUP: whatever is wrong with the file, the process goes on as it was.
void reload(process& running, config& current, const std::string& path) {
    config read;
    try {
        read = read_config_or_builtin(path);
    } catch (const std::exception& error) {
        metrics::reloads_refused.add();
        return spdlog::error("SIGHUP: the configuration stays as it was: {}", error.what());
    }
    const config_changes changes = take_changes(current, std::move(read));
    spdlog::default_logger()->set_level(spdlog::level::from_str(current.log.level));
    running.reload(current);
    // The answer to the sender of the signal: at a level that is shown.
    spdlog::default_logger()->log(
        std::max(spdlog::level::info, spdlog::default_logger()->level()),
        "SIGHUP: the configuration was read again: {}",
        changes.taken.empty() ? "nothing to take over" : "taken over: " + joined(changes.taken));
    if (!changes.waiting.empty())
        spdlog::warn("SIGHUP: not before the next start: {}", joined(changes.waiting));
}

/// Every signal whose default is to end the process, and that is sent by mistake or by a tool that
/// means something else by it. Those of a terminal (SIGINT, SIGQUIT), of a supervisor (SIGTERM) and
/// of faults are not among them.
void add_signals_to_survive(asio::signal_set& to) {
    for (const int one : {SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR})
        to.add(one);
    boost::system::error_code unknown;
    for (int one = SIGRTMIN; one <= SIGRTMAX; ++one)
        to.add(one, unknown);
}

std::string name_of_signal(int number) {
    const char* known = ::sigabbrev_np(number);
    return known == nullptr ? "signal " + std::to_string(number) : std::string("SIG") + known;
}

class survivor {
public:
    survivor(asio::io_context& io, std::function<void()> on_hangup)
        : signals_(io), on_hangup_(std::move(on_hangup)) {
        add_signals_to_survive(signals_);
        wait();
    }

private:
    void wait() {
        signals_.async_wait([this](boost::system::error_code ended, int number) {
            if (ended) return;
            if (number == SIGHUP) {
                on_hangup_();
            } else {
                spdlog::info("{} is ignored", name_of_signal(number));
            }
            wait();
        });
    }

    asio::signal_set signals_;
    std::function<void()> on_hangup_;
};

}  // namespace

int serve(const site& at, const std::string& path) {
    // Before the line that says that it listens: a signal that comes during the start is obeyed
    // after it. While the process drains, those that it survives are taken in and left alone.
    asio::io_context io;
    asio::signal_set ending(io, SIGINT, SIGTERM);
    bool ended = false;
    ending.async_wait([&ended](boost::system::error_code, int) { ended = true; });
    config current = at.settings;
    process* to_reload = nullptr;
    const survivor others(io, [&] { reload(*to_reload, current, path); });

    process running(at);
    to_reload = &running;
    running.start();
    // For scripts as much as for people: the first line of standard output.
    line_output(STDOUT_FILENO)
        .write("listening on " + url_of(at.settings.http.address, running.port()) + "\n");
    while (!ended)
        io.run_one();
    spdlog::info("draining; a second signal ends the process at once");
    // From here on the default action is the second signal's.
    ending.clear();
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
    running.drain_and_stop();
    spdlog::info("stopped");
    return exit_ok;
}

}  // namespace flashsale::app
