#pragma once

#include <functional>
#include <optional>
#include <set>

#include "books.hpp"
#include "crowd.hpp"
#include "fault_proxy.hpp"
#include "flashsale_process.hpp"
#include "sandbox.hpp"
#include "stack.hpp"
#include "stopped_clock.hpp"

namespace flashsale::test {

struct world_options {
    std::size_t processes = 2;
    std::size_t users = 300;
    std::chrono::milliseconds think{300};
    double hang_ups = 0;
    double twins = 0.05;
    int twins_each = 1;
    std::chrono::milliseconds answer_patience{6'000};
    double patient = 0;
    environment variables = {};   ///< of every process, over the sandbox's
    environment first_life = {};  ///< of a process as it is first started, not after a death
    std::size_t armed = 99;       ///< so many processes, from the first on, have that first life
    bool first_apart = false;     ///< the first process has ways of its own to the servers
    bool stopping_clock = false;  ///< and its steady clock can be made to stand still
    bool all_want_the_scarce = false;       ///< the product that is restocked, and nothing else
    std::vector<std::string> without = {};  ///< guards left out, for a control
    std::uint64_t seed = 1;
};

/// By SIGSTOP.
bool is_stopped(pid_t process);

/// The ways of some processes to the servers.
struct ways {
    ways();
    /// The URLs of `variables` on these ways.
    environment of(const environment& variables);

    fault_proxy redis, rabbitmq, postgres;
};

/// A sale under load on servers that fail: a sandbox behind three proxies, some processes that are
/// started again when they die, and a crowd. A cell's fault runs in it, on the thread that made it.
///
/// Of the products the first has plenty, the second a limit for each user, the third sells out
/// within seconds, and the fourth is restocked all the time.
class world {
public:
    explicit world(world_options chosen);
    ~world();

    sandbox& place() { return *place_; }
    fault_proxy& redis() { return common_.redis; }
    fault_proxy& rabbitmq() { return common_.rabbitmq; }
    fault_proxy& postgres() { return common_.postgres; }
    /// Those of the first process, if it is apart.
    ways& own() { return own_.value(); }
    crowd& people() { return *people_; }
    std::uint64_t seed() const { return chosen_.seed; }
    /// Lives while the fault is on, and undoes what is left of it at the end, red or green.
    void undo_later(std::function<void()> what) { undo_.push_back(std::move(what)); }

    // ---- processes
    std::size_t processes() const { return shops_.size(); }
    void kill(std::size_t which, int signal);
    std::uint16_t port(std::size_t which) const { return ports_[which]; }
    /// Not started again until start() is called.
    void stop(std::size_t which);
    /// It may die at a crash point before it listens: a backlog waits for its recorder.
    void start(std::size_t which, const environment& extra = {});
    /// Ends the first process, apart until now, and starts it as one of the others.
    void join();
    /// What a process is started with after each death from now on.
    void lives(std::size_t which, environment extra) { next_life_[which] = std::move(extra); }
    bool asleep(std::size_t which) const;
    /// SIGCONT for the first process; its clock has stood still since then.
    void wake_with_stopped_clock(std::chrono::steady_clock::time_point since);
    flashsale_process* shop(std::size_t which) { return shops_[which].get(); }
    bool runs(std::size_t which) { return shops_[which] && shops_[which]->running(); }
    std::string logs() const;
    /// Deaths at a crash point so far.
    std::size_t crashes() const { return crashes_; }

    // ---- time; while it passes, processes that died are started again
    void wait(std::chrono::milliseconds time);
    /// Throws std::runtime_error(what) if it does not hold in time.
    void until(const char* what, const std::function<bool()>& condition,
               std::chrono::milliseconds most = std::chrono::seconds{300});
    /// Until so many more are accepted, or refused with 503.
    void sell(std::uint64_t orders);
    void refuse(std::uint64_t answers);

    /// A product sold out by so many orders before the sale began. The record has them; the gate
    /// does when it is next rebuilt.
    void sold_before(std::int64_t orders);
    /// Of the gate; while it is being rebuilt, of that attempt.
    std::int64_t epoch() const;

    // ---- the fault
    void fault(std::uint64_t count = 1) { faults_ += count; }
    /// What the cell found not to be as promised.
    void complain(std::string what) { complaints_.push_back(std::move(what)); }
    /// What the cell expects to find parked; anything else is a complaint.
    void expect_parked(std::size_t count) { may_be_parked_.events = count; }
    /// Of those that were never answered 201, any number.
    void may_park() { may_be_parked_.events.reset(); }
    /// The same, but only what has come behind a fence, and was refused by the newer gate.
    void may_park_late() { may_be_parked_.refused_late = true; }

    /// Ends the sale: waits for the first 201, lets the crowd have its last answers, and adds up.
    verdict close();

private:
    void tend();
    void start_with(std::size_t which, const environment& variables);
    void note_crash(const std::string& log);

    world_options chosen_;
    ways common_;
    std::optional<ways> own_;
    std::optional<stopped_clock> clock_;
    std::optional<sandbox> place_;
    std::vector<std::uint16_t> ports_;
    std::vector<std::unique_ptr<flashsale_process>> shops_;
    std::set<std::size_t> stopped_;
    std::vector<environment> next_life_;
    std::vector<std::int64_t> products_;
    std::optional<crowd> people_;
    std::vector<std::function<void()>> undo_;
    std::size_t crashes_ = 0;
    std::uint64_t faults_ = 0;
    allowed_parked may_be_parked_;
    std::vector<std::string> complaints_;
    std::string deaths_;  ///< of processes that were not to die: the ends of their logs
};

}  // namespace flashsale::test
