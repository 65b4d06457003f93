#pragma once

// What a configuration names, put together once. There are two: the stack (three servers, several
// processes) and embedded (one process and its data folder). Both are divided alike:
//
//   capabilities.hpp    what it can do: the one place where stock.gate is compared
//   record.hpp          the databases as a thread of its own uses them, blocking
//   serving.hpp         what `serve` runs: the gate, the log and the stores that a worker stands
//                       on, and the threads beside the workers
//   parked_source.hpp   where parked events are, and what a decision about one needs
//   rebuilding.hpp      what a rebuild by hand needs
//   audit::record_view  where the audit reads
//
// A site makes each in a file of its own, stack_*.cpp and embedded_*.cpp. A port to a database is a
// line of record.hpp if its caller may wait, and of worker_stores in serving.hpp if it is a
// worker's; a thread of the process is a part of stack_serving.cpp and embedded_serving.cpp; what
// else a command needs is a function here.

#include <flashsale/audit/record_view.hpp>
#include <flashsale/postgres.hpp>

#include <functional>
#include <memory>
#include <string>

#include "capabilities.hpp"
#include "parked_source.hpp"
#include "rebuilding.hpp"
#include "serving.hpp"

namespace flashsale::app {

/// Throws config_error for what it cannot do, unavailable_error if a server, a database or the data
/// folder is not to be had, or is not of this version. What it hands out may outlive it.
class site {
public:
    explicit site(const config& from) : settings(from), can(capabilities_of(from)) {}
    virtual ~site() = default;

    const config settings;
    const capabilities can;

    /// For people: what runs, and where its data is.
    virtual std::string in_words() const = 0;

    using report_name = std::function<void(const std::string& name)>;
    /// `applied` is called for each migration: `user: 0001_users`. `force`: also beside sessions
    /// that may be those of processes that serve.
    virtual void migrate(bool force, const report_name& applied) const = 0;
    /// Everything that is needed is asked before anything is written.
    virtual std::unique_ptr<serving> serve(std::size_t workers) const = 0;
    /// With the gate of a process that serves, or, embedded, the one that the next start will load.
    virtual std::unique_ptr<audit::record_view> record_view() const = 0;
    /// `to_decide`: no gate that would not hear of the decision runs as long as the source lives.
    virtual std::unique_ptr<parked_source> parked(bool to_decide) const = 0;
    virtual std::unique_ptr<rebuilding> rebuild(std::int64_t shard) const = 0;
    /// The stock database, where what all processes must agree on is noted.
    virtual postgres::session deployment() const = 0;
};

/// Asks nothing of what it names.
std::unique_ptr<site> make_site(const config& from);

}  // namespace flashsale::app
