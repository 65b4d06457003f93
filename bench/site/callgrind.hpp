#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flashsale::bench {

/// Instructions in user space, by the name of the thread that executed them.
using instructions = std::map<std::string, double>;

double sum_of(const instructions& of);

/// How often the handlers of Asio's timers were called, by their names.
using timer_calls = std::map<std::string, double, std::less<>>;

struct thread_counts {
    instructions executed;
    std::map<std::string, timer_calls> timers;  ///< by the name of the thread
};

/// A program under valgrind's callgrind, which is told what to do through valgrind's vgdb. Throws
/// std::runtime_error.
class callgrind {
public:
    /// Makes a folder for its files, which goes with it.
    explicit callgrind(const std::filesystem::path& program);
    ~callgrind();
    callgrind(const callgrind&) = delete;
    callgrind& operator=(const callgrind&) = delete;

    /// The program to run in the place of the given one: a copy without debug information, whose
    /// newer forms valgrind 3.19 does not read and dies of. The instructions are the same.
    const std::string& program() const { return copy_; }
    /// What to run it by. It is quick, and counts nothing, until start().
    std::vector<std::string> command() const;

    void start(pid_t process);
    /// What was counted since the last call, or since start(). Leaves callgrind's files, one for
    /// each thread, behind as `kept`.THREAD, if that is not empty.
    thread_counts take(const std::string& kept = {});

private:
    void remove();
    std::string tell(const std::vector<std::string>& words) const;

    std::filesystem::path folder_;
    std::string copy_;
    pid_t process_ = 0;
    int part_ = 0;
};

/// The sum in a file that callgrind wrote.
std::optional<double> callgrind_summary(std::string_view text);

/// Of the handlers that a file of callgrind's names.
timer_calls callgrind_timers(std::string_view text);

/// Process ids of threads by valgrind's numbers, from what `v.info scheduler` prints.
std::map<int, pid_t> valgrind_threads(std::string_view text);

}  // namespace flashsale::bench
