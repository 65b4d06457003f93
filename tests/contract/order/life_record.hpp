#pragma once

#include <catch2/catch.hpp>

#include "order_record.hpp"

namespace flashsale::test {

/// Orders in either database, held and sold outright, and what becomes of them.
struct life_record : order_record {
    explicit life_record(database_kind which) : order_record(which), kind(which) {}

    uuid held(std::uint32_t window_s = 3'600, std::int64_t price = 999) {
        events::order_accepted one = accepted(++buyer_);
        one.payment_window_s = window_s;
        one.unit_price = price;
        one.quantity = 3;
        must_record(std::vector{one});
        return one.id;
    }
    uuid outright() {
        const events::order_accepted one = accepted(++buyer_);
        must_record(std::vector{one});
        return one.id;
    }
    /// Its time is up.
    uuid overdue() {
        const uuid id = held(1);
        set(id, "expires_at = " + ago(60) + ", due_at = " + ago(60));
        return id;
    }
    /// Its last change was so long ago.
    void age(const uuid& id) { set(id, "due_at = " + ago(59)); }

    order::order state(const uuid& id) {
        const auto found = life->find(std::vector<uuid>{id});
        REQUIRE(found.has_value());
        REQUIRE(found->size() == 1);
        return found->front();
    }
    order::order_status status(const uuid& id) { return state(id).status; }

    std::vector<order::payment> start(std::vector<order::payment_request> asked) {
        const auto done = life->start_payments(asked);
        REQUIRE(done.has_value());
        return *done;
    }
    std::vector<order::payment> start(const uuid& id, const std::string& key = "k") {
        return start({{id, make.make(), key}});
    }
    std::vector<order::ended_order> cancel(const uuid& id, const std::string& reason = {}) {
        const auto done = life->cancel(std::vector<order::cancel_request>{{id, reason}});
        REQUIRE(done.has_value());
        return *done;
    }
    std::vector<std::string> history(const uuid& id) {
        std::vector<std::string> out;
        for (const auto& one : database.wait(store->changes(id)).value()) {
            out.push_back(std::string(text_of(one.from)) + " " + std::string(text_of(one.to)) +
                          (one.reason.empty() ? "" : " " + one.reason));
        }
        return out;
    }
    std::vector<uuid> due() {
        const auto found = life->returns_due(100);
        REQUIRE(found.has_value());
        std::vector<uuid> out;
        for (const order::ended_order& one : *found)
            out.push_back(one.what.id);
        return out;
    }

    const database_kind kind;

private:
    std::string ago(int seconds) const {
        if (kind == database_kind::postgres)
            return "now() - interval '" + std::to_string(seconds) + " seconds'";
        return std::to_string(
            (wall_clock_now() - std::chrono::seconds(seconds)).time_since_epoch() /
            std::chrono::microseconds(1));
    }
    void set(const uuid& id, const std::string& what) {
        std::string text = id.to_string();
        if (kind == database_kind::sqlite) {
            std::erase(text, '-');
            text = "x'" + text + "'";
        } else {
            text = "'" + text + "'";
        }
        database.sql("UPDATE order_lives SET " + what + " WHERE order_id = " + text);
    }

    std::int64_t buyer_ = 0;
};

}  // namespace flashsale::test
