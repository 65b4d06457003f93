#pragma once

#include <functional>
#include <string>

#include "load/traffic.hpp"

namespace flashsale::bench {

/// So many requests, each sent once, and each answer looked at. Ends at the first one that is not
/// what was expected.
class each_once final : public traffic {
public:
    using rendering = std::function<void(std::size_t number, std::string_view host, std::string&)>;
    /// Whether it was answered as expected.
    using hearing = std::function<bool(std::size_t number, const outcome&)>;

    each_once(std::string name, std::size_t count, rendering render, hearing hear);

    std::optional<std::size_t> next() override;
    void render(std::size_t number, std::string_view host, std::string& out) const override;
    void done(std::size_t number, const outcome& what) override;
    std::string progress() const override;

    /// A sentence about the first answer that was not expected, or empty.
    const std::string& fault() const { return fault_; }

private:
    std::string name_;
    std::size_t count_;
    rendering render_;
    hearing hear_;
    std::size_t next_ = 0;
    std::size_t done_ = 0;
    std::string fault_;
};

}  // namespace flashsale::bench
