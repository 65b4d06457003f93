#pragma once

// What can be done with sales, whatever the protocol.

#include <flashsale/stock/gate_decisions.hpp>
#include <flashsale/stock/sales.hpp>

namespace flashsale::stock {

/// What of a sale is to be another; what is not there stays.
struct sale_patch {
    std::optional<std::string> name;
    std::optional<std::optional<timestamp>> starts_at;
    std::optional<std::optional<timestamp>> ends_at;
    std::optional<std::uint32_t> payment_window_s;  ///< 0: sold outright
    std::optional<std::optional<std::int64_t>> per_user_limit;
};

/// One per worker, on its thread. A change is answered when the open gate has it for all of the
/// sale's products: from then on nothing is granted by what was before. An error below errc's line
/// leaves the change as it is in the record, and the gate is told of it later.
class sale_service {
public:
    sale_service(sale_store& record, gate_decisions& gate) : store_(record), gate_(gate) {}

    template <class T>
    using result = awaitable<std::expected<T, errc>>;

    result<sale> change(std::int64_t id, std::optional<std::int64_t> revision,
                        const sale_patch& what);
    result<sale> set_state(std::int64_t id, sale_state to);

private:
    result<sale> tell(changed_sale what);

    sale_store& store_;
    gate_decisions& gate_;
};

}  // namespace flashsale::stock
