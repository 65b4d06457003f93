#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "load/traffic.hpp"
#include "record/arithmetic.hpp"
#include "record/life_sums.hpp"

namespace flashsale::bench {

/// What a buyer does with an order that is held.
enum class intention { pay, cancel, leave };

/// A sale of one product whose orders are held until they are paid for.
struct hold_plan {
    std::vector<std::int64_t> users;  ///< ids
    sold_product product;
    std::size_t mixed = 0;             ///< of so many grants, not all are meant to be paid for
    std::chrono::milliseconds most{};  ///< the sale ends unfinished after so long
    std::string run;                   ///< keys are named after it

    /// A third of the users cancels its first order, and a third leaves its first one to expire.
    /// The orders after the first `mixed` are all paid for, so that the sale comes to an end.
    intention intention_of(std::size_t user, bool first_order, std::size_t granted_before) const;
};

/// The users ask in turn, on and on, until every unit is paid for. A granted order is paid for
/// or cancelled at once, or left alone. What is unknown is asked for again with the same key.
class hold_traffic final : public traffic {
public:
    explicit hold_traffic(hold_plan plan);

    std::optional<std::size_t> next() override;
    void render(std::size_t number, std::string_view host, std::string& out) const override;
    void done(std::size_t number, const outcome& what) override;
    std::string progress() const override;

    struct tally {
        std::uint64_t asked = 0;  ///< orders asked for
        std::uint64_t granted = 0;
        std::uint64_t refused = 0;
        std::uint64_t paid = 0;
        std::uint64_t cancelled = 0;
        std::uint64_t left = 0;         ///< to expire
        std::uint64_t too_late = 0;     ///< held no longer when the payment or cancellation came
        std::uint64_t asked_again = 0;  ///< requests of unknown outcome
        std::map<std::pair<unsigned, std::string>, std::uint64_t> refused_by_code;
        std::chrono::steady_clock::time_point last_paid{};
    };

    const tally& totals() const { return tally_; }
    bool finished() const { return paid_units() >= plan_.product.supplied; }
    /// Requests that were still to be sent, or sent again, when the sale ended.
    std::size_t unsettled() const { return waiting_.size(); }
    /// A sentence about the first answer to a payment or cancellation that must not come; or empty.
    const std::string& fault() const { return fault_; }

    const hold_plan& plan() const { return plan_; }
    /// What the clients know, for the sums: of the orders as such, and of what became of them.
    const std::vector<accepted_order>& accepted() const { return accepted_; }
    std::vector<wanted_order> unsure() const;
    const std::vector<lived_order>& lives() const { return lives_; }

private:
    enum class step { place, pay, cancel };
    struct request {
        step what = step::place;
        std::size_t user = 0;   ///< of `place`: an index of the plan's users
        std::size_t ask = 0;    ///< of `place`: its number, which its key is named after
        std::size_t order = 0;  ///< of the others: an index of `lives_`
    };

    std::int64_t paid_units() const { return static_cast<std::int64_t>(tally_.paid); }
    std::size_t take_number(const request& what);
    wanted_order wanted(const request& of) const;
    void placed(const request& of, const outcome& what);
    bool note_granted(const request& of, std::string_view body);
    void paid(const request& of, const outcome& what);
    void cancelled(const request& of, const outcome& what);
    /// The order was held no longer: true if the answer says that it has expired.
    bool note_too_late(const request& of, const outcome& what);
    void ask_again(const request& of);
    void note_fault(const char* request, const outcome& what);

    hold_plan plan_;
    std::optional<std::chrono::steady_clock::time_point> end_;
    std::size_t next_ask_ = 0;
    std::vector<request> under_way_;        // by number
    std::vector<std::size_t> free_;         // numbers that are not under way
    std::deque<request> waiting_;           // to be sent before any new order
    std::vector<std::uint32_t> orders_of_;  // granted, by user
    tally tally_;
    std::vector<accepted_order> accepted_;
    std::vector<lived_order> lives_;
    std::string fault_;
};

}  // namespace flashsale::bench
