#pragma once

// Where the audit reads: the gate and the databases of either composition. Blocking.

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <optional>

#include <flashsale/order/record.hpp>
#include <flashsale/stock/gate_outbox.hpp>
#include <flashsale/stock/gate_view.hpp>
#include <flashsale/stock/record.hpp>
#include <flashsale/stock/recovery.hpp>
#include <flashsale/user/record.hpp>

namespace flashsale::audit {

class record_view {
public:
    virtual ~record_view() = default;

    /// The gate's, to be run while it is waited for.
    virtual asio::io_context& io() = 0;
    virtual stock::gate_levels& gate() = 0;
    virtual stock::outbox_pages& outbox() = 0;
    virtual std::uint32_t shards() const = 0;
    /// The products table is the gate.
    virtual bool gate_is_database() const = 0;
    /// What the record knows of a shard's gate; nullopt where no gate outlives its process.
    virtual std::optional<stock::shard_state> shard(std::uint32_t which) = 0;
    virtual stock::record_reader& products() = 0;
    virtual order::record_reader& orders() = 0;
    virtual user::record_reader& users() = 0;
};

}  // namespace flashsale::audit
