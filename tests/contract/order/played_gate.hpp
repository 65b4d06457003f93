#pragma once

#include <flashsale/stock/gate.hpp>

#include <functional>
#include <set>
#include <vector>

namespace flashsale::test {

/// Has what it is told of in the databases, under its own id; of the rest it says the same of each.
class played_gate final : public stock::gate {
public:
    std::set<uuid> recorded;
    stock::errc otherwise = stock::errc::overloaded;
    std::vector<uuid> asked;

    batching_limits batching() const override { return {.reservations_max = 2}; }
    void reserve(std::vector<stock::reservation> batch,
                 callback<std::vector<stock::decision>> done) override {
        std::vector<stock::decision> all;
        for (const stock::reservation& one : batch) {
            asked.push_back(one.id);
            if (recorded.contains(one.id)) {
                stock::grant grant;
                grant.id = one.id;
                grant.repeat = grant.recorded = true;
                all.emplace_back(std::move(grant));
            } else {
                all.emplace_back(std::unexpected(otherwise));
            }
        }
        done(std::move(all));
    }

    // Nobody asks these.
    void give(std::vector<stock::gate_product>,
              callback<std::expected<void, stock::errc>> done) override {
        done(std::unexpected(stock::errc::reopening));
    }
    void settle(std::vector<stock::settled_event>,
                callback<std::expected<void, stock::errc>> done) override {
        done(std::unexpected(stock::errc::reopening));
    }
    void available(std::vector<std::int64_t>,
                   callback<std::expected<std::vector<std::optional<std::int64_t>>, stock::errc>>
                       done) override {
        done(std::unexpected(stock::errc::reopening));
    }
    void find_event(
        uuid, callback<std::expected<std::optional<std::string>, stock::errc>> done) override {
        done(std::unexpected(stock::errc::reopening));
    }
    std::expected<void, std::string> check() const override { return {}; }
    void read_levels(std::uint32_t, std::vector<std::int64_t>,
                     callback<std::expected<levels, stock::errc>> done) override {
        done(std::unexpected(stock::errc::reopening));
    }
    void read_outbox(std::uint32_t, std::string,
                     callback<std::expected<outbox_page, stock::errc>> done) override {
        done(std::unexpected(stock::errc::reopening));
    }
};

/// It answers in the call itself.
inline void at_once(const std::function<bool()>&) {}

}  // namespace flashsale::test
