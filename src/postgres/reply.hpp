#pragma once

// What the server says about one statement, until it is ready for the next.
//
// In the extended protocol CommandComplete comes before the implicit commit, which happens at the
// Sync. So rows alone prove nothing: a reply counts when ReadyForQuery is there, and an error that
// came after the rows (a deferred constraint, say) replaces them. The other way round, an error
// before CommandComplete proves that nothing was committed, even if the connection died with it.
// COMMIT is the exception: its own CommandComplete comes after the commit and settles the matter,
// while a FATAL before it settles nothing.

#include <libpq-fe.h>

#include <flashsale/postgres.hpp>
#include <optional>
#include <string>

#include "error.hpp"
#include "rows.hpp"

namespace flashsale::postgres {

class reply {
public:
    /// `commits`: the statement is COMMIT, or several statements that commit at the end.
    explicit reply(bool commits = false) : commits_(commits) {}

    void add(result_ptr result);

    /// libpq itself reported the end of the connection.
    bool connection_lost() const { return lost_; }

    /// The statement is worth preparing again.
    bool stale_plan() const { return stale_plan_; }

    /// ReadyForQuery came.
    result take();

    /// It will never come.
    result take_unfinished(std::string why);

private:
    bool committed() const;

    bool commits_;
    bool lost_ = false;
    bool stale_plan_ = false;
    result_ptr completed_;
    std::optional<error> error_;
};

}  // namespace flashsale::postgres
