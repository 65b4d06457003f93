#include <signal.h>
#include <unistd.h>

#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <cstdio>

#include <flashsale/app.hpp>

#include "commands.hpp"
#include "process.hpp"
#include "url.hpp"

namespace flashsale::app {

int serve(const config& settings) {
    // Before anybody is told that we listen: a signal that comes during the start drains after it.
    asio::io_context io;
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([](boost::system::error_code, int) {});

    process running(settings);
    running.start();
    // For scripts as much as for people: the first line of standard output.
    std::printf("listening on %s\n", url_of(settings.http.address, running.port()).c_str());
    std::fflush(stdout);
    io.run_one();
    spdlog::info("draining; a second signal ends the process at once");
    // From here on the default action is the second signal's.
    signals.clear();
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
    running.drain_and_stop();
    spdlog::info("stopped");
    return exit_ok;
}

}  // namespace flashsale::app
