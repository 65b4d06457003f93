#pragma once

// What session and pool share about a PGconn.

#include <libpq-fe.h>

#include <flashsale/postgres.hpp>
#include <memory>
#include <vector>

#include "settings.hpp"

namespace flashsale::postgres {

struct connection_closer {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};
using connection_ptr = std::unique_ptr<PGconn, connection_closer>;

/// Begins to connect; PQconnectPoll goes on. A host *name* is resolved here, blocking; a numeric
/// host, hostaddr or a socket's directory is not. The server's notices go to the log, not to
/// stderr.
connection_ptr start_connecting(const conninfo& settings);

/// Pointers into `parameters`, in the form that libpq takes.
class parameter_view {
public:
    explicit parameter_view(const parameters& with);

    int count() const { return static_cast<int>(types_.size()); }
    const Oid* types() const { return types_.data(); }
    const char* const* values() const { return values_.data(); }
    const int* lengths() const { return lengths_.data(); }
    const int* formats() const { return formats_.data(); }

private:
    std::vector<Oid> types_;
    std::vector<const char*> values_;
    std::vector<int> lengths_;
    std::vector<int> formats_;
};

}  // namespace flashsale::postgres
