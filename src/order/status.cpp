#include <flashsale/order/payment.hpp>
#include <flashsale/order/status.hpp>

namespace flashsale::order {

namespace {

constexpr std::array<std::string_view, 7> names{"SUCCESS",   "PENDING", "PAYING",  "PAID",
                                                "CANCELLED", "EXPIRED", "REFUNDED"};
constexpr std::array<std::string_view, 2> methods{"balance", "external"};
constexpr std::array<std::string_view, 6> payment_names{"started", "succeeded",  "failed",
                                                        "placing", "refund_due", "refunded"};
constexpr std::array<std::string_view, 2> refund_names{"pending", "succeeded"};

template <class Enum, std::size_t count>
std::optional<Enum> find_name(const std::array<std::string_view, count>& in,
                              std::string_view text) {
    const auto found = std::ranges::find(in, text);
    if (found == in.end()) return std::nullopt;
    return static_cast<Enum>(found - in.begin());
}

}  // namespace

std::string_view text_of(order_status what) {
    return names[static_cast<std::size_t>(what)];
}

std::optional<order_status> order_status_of(std::string_view text) {
    return find_name<order_status>(names, text);
}

std::string_view text_of(payment_method what) {
    return methods[static_cast<std::size_t>(what)];
}

std::optional<payment_method> payment_method_of(std::string_view text) {
    return find_name<payment_method>(methods, text);
}

std::string_view text_of(refund_state what) {
    return refund_names[static_cast<std::size_t>(what)];
}

std::optional<refund_state> refund_state_of(std::string_view text) {
    return find_name<refund_state>(refund_names, text);
}

std::string_view text_of(payment_state what) {
    return payment_names[static_cast<std::size_t>(what)];
}

std::optional<payment_state> payment_state_of(std::string_view text) {
    return find_name<payment_state>(payment_names, text);
}

}  // namespace flashsale::order
