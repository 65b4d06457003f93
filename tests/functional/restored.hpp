#pragma once

// A database that is put back to what it was, as a restore from a backup does it, and the newer one
// again. Every session at it ends, as it does then.

#include <optional>
#include <string>
#include <vector>

#include "sandbox.hpp"
#include "sql.hpp"

namespace flashsale::test {

class backup {
public:
    /// Keeps the database as it is now.
    backup(const sandbox& world, sandbox::database which)
        : url_(world.url(which)), name_(database_of(url_)) {
        replace(name_ + "_older", name_);
    }
    ~backup() {
        for (const char* copy : {"_older", "_newer"})
            run("DROP DATABASE IF EXISTS \"" + name_ + copy + "\" WITH (FORCE)");
    }
    backup(const backup&) = delete;
    backup& operator=(const backup&) = delete;

    /// Puts it back to that; what it was is kept.
    void restore() const {
        replace(name_ + "_newer", name_);
        replace(name_, name_ + "_older");
    }
    /// Puts it back to what it was before restore().
    void undo() const { replace(name_, name_ + "_newer"); }

private:
    void run(const std::string& statement) const {
        run_sql(with_database(url_, "postgres"), statement);
    }
    void replace(const std::string& target, const std::string& source) const {
        if (target == name_) end_sessions();
        run("DROP DATABASE IF EXISTS \"" + target + "\" WITH (FORCE)");
        if (source == name_) end_sessions();
        run("CREATE DATABASE \"" + target + "\" TEMPLATE \"" + source + "\"");
        if (source == name_) run("ALTER DATABASE \"" + source + "\" ALLOW_CONNECTIONS true");
    }
    /// No session comes to the database again before it is there, or copied.
    void end_sessions() const {
        run("ALTER DATABASE \"" + name_ + "\" ALLOW_CONNECTIONS false");
        run("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '" +
            name_ + "'");
    }

    std::string url_, name_;
};

}  // namespace flashsale::test
