// Why the counts are steady: what depends on time is kept out of them, or taken off.
//
//   - one connection sends 16 orders together and waits for all answers: the gate and the log get
//     batches of 16, whatever the machine does meanwhile;
//   - nothing is recorded until the last order is answered (embedded): the recorder then takes full
//     batches. What its thread does before is to wait for the order database, and is left out;
//   - users are known, tables have grown and memory is there before it counts: the first orders of
//     a process are not counted;
//   - the server's timers go on meanwhile. What one of them takes is counted for a second in which
//     nothing is asked for, and taken off for each that went off. Their number, not the time, is
//     what counts: a busy machine lets few of them go off in a second. Of threads that have no
//     timers and wake by themselves it is taken off by the second;
//   - the server keeps the confirm deadline of each order until it has passed. All have passed
//     before a count begins, and before the one of accepted orders ends.

#include "site/instructions.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

#include "load/expected_answer.hpp"
#include "report/sections.hpp"
#include "site/sale_site.hpp"

namespace flashsale::bench {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t users = 2'000;
constexpr std::size_t warm_up_orders = users;
constexpr std::chrono::seconds idle{1};
constexpr milliseconds settling_max{10'000};
constexpr milliseconds answer_timeout{300'000};
constexpr milliseconds confirm_deadline{5'000};
constexpr milliseconds expiry_margin{500};
constexpr const char* recorder = "recorder";

const variables settings{
    {"FLASHSALE_HTTP__WORKERS", "1"},
    {"FLASHSALE_HTTP__REQUEST_TIMEOUT_MS", "600000"},
    {"FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS", std::to_string(confirm_deadline.count())},
    {"FLASHSALE_SQLITE__BUSY_TIMEOUT_MS", "600000"},
    {"FLASHSALE_REDIS__REPLY_TIMEOUT_MS", "60000"},
    {"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "3600000"},
};

class counting {
public:
    counting(workplace where, const counting_options& options, progress_line& progress)
        : options_{options},
          progress_{progress},
          embedded_{where.folder.has_value()},
          tool_{where.flashsale},
          site_{under(std::move(where)), users, progress, settings} {}

    counted_orders run() {
        const auto goods = site_.add_product(plenty);
        const auto sold_out = site_.add_product(0);
        order_stream first{plan(goods, warm_up_orders)};
        order_stream first_refused{plan(sold_out, warm_up_orders)};
        place(first, {});
        place(first_refused, "out_of_stock");
        site_.wait_until_stored(first);
        tool_.start(site_.pid());
        settle();
        progress_.show("the server alone");
        begin();
        std::this_thread::sleep_for(idle);
        alone_ = end({});

        counted_orders found;
        order_stream accepted{plan(goods, options_.orders)};
        begin();
        site_.world().while_nothing_is_recorded([&] {
            place(accepted, {});
            found.answered = orders_alone(end("answered"));
        });
        if (embedded_ && found.answered.erase(recorder) == 0) {
            throw std::runtime_error("the server has no thread of the name " +
                                     std::string{recorder} + ", whose waiting is left out");
        }
        site_.wait_until_stored(accepted);
        settle();
        found.recorded = orders_alone(end("recorded"));

        order_stream refused{plan(sold_out, options_.orders)};
        constexpr const char* decided = "flashsale_reservations_refused_total";
        const auto before = site_.metric(decided);
        settle();
        begin();
        place(refused, "out_of_stock");
        found.refused = orders_alone(end("refused"));
        found.asked_of_gate = static_cast<std::uint64_t>(site_.metric(decided) - before);

        const order_stream* const all[] = {&first, &first_refused, &accepted, &refused};
        site_.check(all);
        site_.close();
        return found;
    }

private:
    workplace under(workplace where) const {
        where.runner = tool_.command();
        where.flashsale = tool_.program();
        return where;
    }

    stream_plan plan(const sold_product& what, std::size_t orders) {
        auto made = site_.plan({what});
        made.requests_max = orders;
        return made;
    }

    void place(order_stream& orders, const std::string& code) {
        expected_answer all{orders, code};
        auto load = site_.load(1);
        load.pipelined = options_.pipelined;
        load.retries = 0;
        load.answer_timeout = load.give_up = answer_timeout;
        const auto ran = run_closed_loop(load, all, &progress_);
        if (!all.fault().empty()) throw sums_fail(all.fault());
        if (!ran.failure.empty()) throw std::runtime_error(ran.failure);
        if (code.empty()) last_201_ = clock::now();
    }

    /// Until the server does no more than it does alone.
    void settle() const {
        std::this_thread::sleep_until(last_201_ + confirm_deadline + expiry_margin);
        site_.settle(settling_max);
    }

    void begin() {
        tool_.take();
        since_ = clock::now();
    }

    struct count : thread_counts {
        double seconds = 0;
    };

    /// And begins the next.
    count end(const std::string& name) {
        const bool keep = !name.empty() && !options_.out.empty();
        count all{tool_.take(keep ? (options_.out / ("callgrind." + name)).string() : "")};
        const auto now = clock::now();
        all.seconds = std::chrono::duration<double>(now - std::exchange(since_, now)).count();
        return all;
    }

    /// How many times what was counted with nothing asked for is in this count.
    double times_alone(const std::string& thread, const count& of) const {
        const auto known = alone_.timers.find(thread);
        if (known == alone_.timers.end()) return of.seconds / alone_.seconds;
        double then = 0, now = 0;
        for (const auto& [name, calls] : known->second) {
            then += calls;
            const auto found = of.timers.find(thread);
            if (found == of.timers.end()) continue;
            const auto same = found->second.find(name);
            if (same != found->second.end()) now += same->second;
        }
        return now / then;
    }

    instructions orders_alone(const count& of) const {
        auto all = of.executed;
        for (const auto& [thread, alone] : alone_.executed) {
            const auto found = all.find(thread);
            if (found == all.end()) continue;
            found->second = std::max(0.0, found->second - alone * times_alone(thread, of));
        }
        return all;
    }

    const counting_options& options_;
    progress_line& progress_;
    const bool embedded_;
    callgrind tool_;
    sale_site site_;
    count alone_;
    clock::time_point since_{};
    clock::time_point last_201_{};
};

}  // namespace

instructions counted_orders::accepted() const {
    auto all = answered;
    for (const auto& [thread, count] : recorded)
        all[thread] += count;
    return all;
}

counted_orders count_instructions(const workplace& where, const counting_options& options,
                                  progress_line& progress) {
    return counting{where, options, progress}.run();
}

}  // namespace flashsale::bench
