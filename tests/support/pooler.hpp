#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "process.hpp"
#include "scratch_folder.hpp"

namespace flashsale::test {

/// A pgbouncer before the PostgreSQL of script/stack, beside its port. Ended with the object.
class pooler {
public:
    /// `mode` is its pool_mode; `more` are further lines of its configuration. Returns when it
    /// takes connections; throws std::runtime_error with its log if it does not.
    explicit pooler(const std::string& mode, const std::string& more = {});

    std::uint16_t port() const { return port_; }
    /// The same database, through it.
    std::string through(const std::string& url) const;
    std::string log() const { return process_->output(); }

private:
    scratch_folder folder_;
    std::uint16_t port_ = 0;
    std::optional<process> process_;
};

}  // namespace flashsale::test
