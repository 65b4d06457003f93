#pragma once

#include <string>

#include "load/order_stream.hpp"

namespace flashsale::bench {

/// Orders that must all be answered alike, or what is measured is something else.
class expected_answer final : public traffic {
public:
    /// `code` of the problem document; empty: 201, with the order.
    expected_answer(order_stream& orders, std::string code)
        : orders_{orders}, code_{std::move(code)} {}

    std::optional<std::size_t> next() override { return orders_.next(); }
    void render(std::size_t number, std::string_view host, std::string& out) const override {
        orders_.render(number, host, out);
    }
    void done(std::size_t number, const outcome& what) override;
    std::string progress() const override { return orders_.progress(); }

    /// Why not all were; empty if they were.
    std::string fault() const;

private:
    order_stream& orders_;
    std::string code_;
    std::size_t others_ = 0;
    std::string first_;
};

}  // namespace flashsale::bench
