#pragma once

#include <flashsale/http.hpp>

namespace flashsale::http {

/// What an exchange answers into: a connection, or a test's notebook.
class session {
public:
    virtual ~session() = default;

    /// Called at most once for a slot, on the worker's thread, perhaps after the peer has gone.
    virtual void answer(std::uint64_t slot, response&& value) = 0;

    /// For log lines; empty if no client waits for this answer any more.
    virtual std::string request_name(std::uint64_t slot) const = 0;
};

}  // namespace flashsale::http
