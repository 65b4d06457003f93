#pragma once

// The stock module: products, their units, and the reserving of them. What other modules may know.

#include <chrono>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "flashsale/base/async.hpp"
#include "flashsale/base/uuid.hpp"
#include "flashsale/stock/allocation.hpp"
#include "flashsale/stock/refusal.hpp"
#include "flashsale/stock/reservation.hpp"

namespace flashsale::stock {

/// What a request wants; the reserver makes the id of it.
struct reserve_request {
    operation what = operation::sale;
    std::int64_t product_id = 0;
    std::int64_t user_id = 0;
    std::int64_t quantity = 0;
    std::string_view idempotency_key;         ///< stays where it is until the answer has come
    std::int64_t unit_price_max = any_price;  ///< as in reservation
};

/// Units taken, and durably so: whichever one part dies now, the databases will have it.
struct accepted {
    uuid id;
    std::int64_t unit_price = 0;
    bool replayed = false;        ///< the key had been accepted before; this is the same acceptance
    currency_code currency = {};  ///< of unit_price
    std::uint32_t payment_window_s = 0;  ///< held so long from the id's time; 0: sold outright
    bool recorded = false;               ///< replayed, and in the databases
};

/// Reserves units and answers once the reservation is durable. One per worker, on its thread.
class reserver {
public:
    virtual ~reserver() = default;

    /// `done` is called on the worker's thread within the confirm deadline and a little.
    virtual void reserve(reserve_request request,
                         callback<std::expected<accepted, refusal>> done) = 0;
};

/// A signed entry of the ledger, decided by the gate.
struct movement {
    uuid id;                  ///< of the order or the reduction
    std::uint32_t line = 0;   ///< of the order
    std::uint32_t shard = 0;  ///< of the gate that decided it
    std::int64_t product_id = 0;
    std::int64_t delta = 0;
    operation what = operation::sale;
    std::uint64_t epoch = 0;
    std::uint64_t seq = 0;
    std::string idempotency_key;  ///< of a reduction
    timestamp created_at;

    allocation_id taken() const { return {id, line}; }
};

/// A movement that the database will never take, and why.
struct refused_movement {
    allocation_id of;
    std::string reason;
    bool late = false;        ///< a reduction older than its shard's fence: the gate is asked again
    bool given_back = false;  ///< its units are for sale again: give_back() came first
};

/// The recorder's way into the ledger. Blocking; one thread.
class ledger {
public:
    virtual ~ledger() = default;

    /// Records movements in one transaction, each once, by taken(); those that can never be
    /// recorded are left out and returned. An error means that nothing, or an unknown part, was
    /// recorded, and that the same call has to be made again; its text is for people.
    virtual std::expected<std::vector<refused_movement>, std::string> record(
        std::span<const movement> movements) = 0;
};

}  // namespace flashsale::stock
