#include <spdlog/spdlog.h>

#include <flashsale/http.hpp>

#include "session.hpp"

namespace flashsale::http {

exchange::exchange(std::shared_ptr<session> owner, std::uint64_t slot) noexcept
    : owner_(std::move(owner)), slot_(slot) {}

exchange& exchange::operator=(exchange&& other) noexcept {
    if (this != &other) {
        const exchange dropped = std::move(*this);
        owner_ = std::move(other.owner_);
        slot_ = other.slot_;
    }
    return *this;
}

void exchange::drop() {
    if (const std::string name = request_name(); !name.empty()) {
        spdlog::error("http: request {} was dropped without an answer", name);
    }
    answer(problem(problems::internal));
}

std::string exchange::request_name() const {
    return owner_ ? owner_->request_name(slot_) : std::string();
}

void exchange::answer(response value) {
    // Given up first: an answer may end the connection, which must not find itself still owned.
    if (const auto owner = std::move(owner_)) owner->answer(slot_, std::move(value));
}

}  // namespace flashsale::http
