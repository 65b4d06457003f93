#pragma once

// Where the audit reads: the gate and the two databases of either composition. Blocking.

#include <boost/asio/io_context.hpp>

#include <memory>
#include <optional>
#include <string>

#include <flashsale/order/record.hpp>
#include <flashsale/stock/gate.hpp>
#include <flashsale/stock/record.hpp>
#include <flashsale/stock/recovery.hpp>

#include "config.hpp"

namespace flashsale::app {

class audit_source {
public:
    virtual ~audit_source() = default;

    /// The gate's, to be run while it is waited for.
    virtual asio::io_context& io() = 0;
    virtual stock::gate& gate() = 0;
    virtual std::uint32_t shards() const = 0;
    /// The products table is the gate.
    virtual bool gate_is_database() const = 0;
    /// What the record knows of a shard's gate; nullopt where no gate outlives its process.
    virtual std::optional<stock::shard_state> shard(std::uint32_t which) = 0;
    virtual stock::record_reader& products() = 0;
    virtual order::record_reader& orders() = 0;
};

/// Throws unavailable_error if a database cannot be read or is not of this version.
std::unique_ptr<audit_source> make_stack_audit_source(const config& settings);
/// With a process that has the folder open, its gate; without one, the gate that the next start
/// will load, and the folder is locked meanwhile.
std::unique_ptr<audit_source> make_embedded_audit_source(const config& settings);

}  // namespace flashsale::app
