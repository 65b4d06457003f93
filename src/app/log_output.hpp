#pragma once

// Where log lines go: standard error, which may be a terminal, a file, a pipe or a socket that
// another process reads, or does not. Writing there never ends the process and never waits: a line
// that a full or closed pipe, a full disk or a stopped terminal does not take is lost, counted, and
// said as soon as something is taken again.
//
// Lines are at most 4,096 bytes, what a pipe takes whole or not at all: lines of several processes
// do not mix, and none is torn.

#include <memory>
#include <string>
#include <string_view>

namespace spdlog::sinks {
class sink;
}

namespace flashsale::app {

/// A standard descriptor to write lines to, without waiting. Not for two threads at once.
class line_output {
public:
    /// Standard output or standard error, which stay open, and whose modes stay as they are: others
    /// may share them.
    explicit line_output(int descriptor);
    ~line_output();
    line_output(const line_output&) = delete;
    line_output& operator=(const line_output&) = delete;

    /// `line` with its line end. False: it was not taken, or not all of it.
    bool write(std::string_view line);

private:
    enum class way { file, polled, nonblocking, socket };

    long put(std::string_view bytes);

    int descriptor_;
    way way_ = way::polled;
    bool owned_ = false;  ///< descriptor_ is a second way to the same pipe or terminal
    bool torn_ = false;   ///< the last line is there without its end
};

/// To standard error; metric log_lines_lost_total.
std::shared_ptr<spdlog::sinks::sink> make_log_sink(int descriptor = 2);

/// `flashsale: …` on standard error, of a command that ends.
void complain(std::string_view what);

/// Once, before anything is opened or written: no write raises a signal, whichever thread or
/// library writes; and standard descriptors that are closed are opened on /dev/null, or the next
/// file that is opened would get their numbers, and log lines.
void prepare_outputs();

}  // namespace flashsale::app
