#pragma once

// The clerk: what becomes of orders after they were recorded. One per process that serves, on a
// thread of its own.

#include <chrono>
#include <functional>
#include <memory>

#include "flashsale/base/fault_board.hpp"
#include "flashsale/base/waiting.hpp"
#include "flashsale/order/changes.hpp"
#include "flashsale/order/life.hpp"
#include "flashsale/order/money.hpp"
#include "flashsale/order/recording.hpp"
#include "flashsale/order/replacement.hpp"
#include "flashsale/order/sale_cancellations.hpp"
#include "flashsale/stock.hpp"
#include "flashsale/stock/gate_decisions.hpp"
#include "flashsale/stock/gate_outbox.hpp"
#include "flashsale/stock/gate_view.hpp"
#include "flashsale/stock/returns.hpp"

namespace flashsale::user {
class charges;
class credits;
}  // namespace flashsale::user

namespace flashsale::order {

struct clerk_options {
    std::size_t batch_orders_max = 1'000;       ///< in one statement
    std::size_t waiting_requests_max = 16'384;  ///< beyond: overloaded
    std::chrono::milliseconds patience{2'000};  ///< of a request; then its outcome is unknown
    std::chrono::milliseconds record_after{
        250};                                ///< the recorder's time for an order that is asked for
    currency_code currency = {};             ///< the deployment's, which balances are in
    std::chrono::seconds payment_grace{60};  ///< for an announced payment, once per order
    std::chrono::milliseconds expiry_interval{200};  ///< between looks for holds that have ended
    std::chrono::milliseconds resume_interval{500};  ///< between looks for what others have left
};

class clerk final : public order_changes {
public:
    /// Each is the clerk's thread's alone, from start() to stop().
    struct dependencies {
        life_store& orders;
        money_store& money;
        replacement_store& replacements;
        recording& record;  ///< with the fences that the recorder has
        user::charges& balances;
        user::credits& credits;
        stock::returns& units;
        stock::gate_decisions& gate;
        stock::gate_outbox& outbox;  ///< the gate's
        stock::gate_levels& levels;  ///< likewise
        stock::reserver& reserves;   ///< by that gate
        waiting wait;                ///< for the gate's answers
        /// Lets the gate's connections have their turn; several times a second.
        std::function<void()> poll;
        fault_board* board = nullptr;  ///< where the line `clerk` says what it is waiting for
        sale_cancellations* sales = nullptr;  ///< nullptr: none is cancelled here
        std::uint32_t shards = 1;
    };

    clerk(const dependencies& uses, const clerk_options& options);
    ~clerk() override;

    void ask(change_request what, asio::io_context& reply_on, callback<answer> done) override;

    void start();
    /// Carries out what was asked for, for at most `patience`; what is left ends as unknown. What
    /// is to be resumed, another process or the next start resumes.
    void stop(std::chrono::milliseconds patience);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace flashsale::order
