#pragma once

// The port to a gate's outbox: the events that it has granted and the databases do not have yet.
// It is in parts, by what its users ask: lists and the audit read it as a whole, the recorder
// counts and removes what is recorded, and a request for one order looks for its event.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "flashsale/base/async.hpp"
#include "flashsale/base/time.hpp"
#include "flashsale/base/uuid.hpp"
#include "flashsale/stock/refusal.hpp"

namespace flashsale::stock {

/// An event that both databases have: its outbox entry may go.
struct recorded_event {
    uuid id;
    std::uint32_t shard = 0;
    std::uint64_t epoch = 0;
};

/// The whole outbox, read page by page.
class outbox_pages {
public:
    virtual ~outbox_pages() = default;

    struct outbox_page {
        std::vector<std::string> events;
        std::string next_cursor;  ///< empty: this was the last page
        std::uint64_t epoch = 0;
        timestamp read_at{};  ///< by the gate's clock, in the same step as the page
    };

    /// Every entry that is there from the first page to the last is seen, perhaps twice.
    virtual void read_outbox(std::uint32_t shard, std::string cursor,
                             callback<std::expected<outbox_page, errc>> done) = 0;
};

/// What waits for the record, and the removal of what is recorded.
class outbox_backlog {
public:
    virtual ~outbox_backlog() = default;

    /// Removes outbox entries. Idempotent; an entry that stays is only published once more.
    virtual void prune(std::vector<recorded_event> events,
                       callback<std::expected<void, errc>> done) = 0;

    struct backlog {
        std::uint64_t epoch = 0;
        std::optional<std::uint64_t> granted;  ///< events under this epoch; if it counts them
        std::uint64_t waiting = 0;             ///< of those, events in the outbox
    };
    /// What is granted and not pruned, in one atomic step; cheap. errc::dependency_unavailable
    /// where the gate has nothing to say of it.
    virtual void read_backlog(std::uint32_t shard, callback<std::expected<backlog, errc>> done) = 0;
};

/// Used by one thread, that of the io_context it was made for; calls back there, exactly once.
class gate_outbox : public outbox_pages, public outbox_backlog {
public:
    /// The complete event of an accepted order that is not recorded yet; nullopt if there is none.
    virtual void find_event(uuid id,
                            callback<std::expected<std::optional<std::string>, errc>> done) = 0;

    /// As find_event(), of many of one shard, in their order.
    using found_events = std::vector<std::optional<std::string>>;
    virtual void find_events(std::uint32_t shard, std::vector<uuid> ids,
                             callback<std::expected<found_events, errc>> done) = 0;
};

}  // namespace flashsale::stock
