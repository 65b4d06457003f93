#pragma once

// A sale that is cancelled as a whole, batch by batch. Its gate grants nothing any more; so the job
// is done when it has come past all orders that are recorded, and none of the sale waits in the
// outbox. What it does with an order is what a request for that order would do, so that it may be
// interrupted anywhere, done by two processes at once, and be begun again where it was.

#include <flashsale/order/clerk.hpp>
#include <flashsale/order/sale_cancellations.hpp>

#include "money_work.hpp"

namespace flashsale::order {

/// Blocking; one thread.
class sale_cancellation_work {
public:
    sale_cancellation_work(const clerk::dependencies& uses, const clerk_options& options)
        : uses_(uses), orders_max_(options.batch_orders_max), units_(uses), money_(uses, options) {}

    /// One batch. True: there may be more at once.
    std::expected<bool, std::string> go_on();

private:
    /// Of one product. True: it had orders, and has come past some.
    std::expected<bool, std::string> pass(const running_cancellation& job,
                                          const running_cancellation::product& of);
    done end(const running_cancellation& job, std::span<const order_at> orders);
    std::expected<bool, std::string> none_waits(const running_cancellation& job);

    const clerk::dependencies uses_;
    const std::size_t orders_max_;
    unit_returns units_;
    money_work money_;
};

}  // namespace flashsale::order
