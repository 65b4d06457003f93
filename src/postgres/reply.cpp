#include "reply.hpp"

#include <string_view>

namespace flashsale::postgres {

void reply::add(result_ptr result) {
    switch (PQresultStatus(result.get())) {
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK:
        case PGRES_EMPTY_QUERY:
            completed_ = std::move(result);
            return;
        case PGRES_PIPELINE_ABORTED:
            if (!error_) error_ = make_error(error::kind::transient, "the statement was skipped");
            return;
        case PGRES_FATAL_ERROR:
            break;
        default:
            if (!error_)
                error_ = make_error(error::kind::other, "not a statement for this interface");
            return;
    }
    if (!PQresultErrorField(result.get(), PG_DIAG_SQLSTATE)) {
        lost_ = true;
        return;
    }
    if (error_) return;
    const bool perhaps = commits_ || completed_;
    error_ =
        error_of(result.get(), perhaps ? commit_phase::perhaps_committed : commit_phase::before);
    stale_plan_ = error_->sqlstate == "26000" || error_->sqlstate == "0A000";
}

bool reply::committed() const {
    return commits_ && completed_ && std::string_view(PQcmdStatus(completed_.get())) == "COMMIT";
}

result reply::take() {
    if (error_ && !committed()) return std::unexpected(std::move(*error_));
    if (!completed_) return std::unexpected(make_error(error::kind::other, "no answer"));
    return rows(std::make_unique<rows::storage>(std::move(completed_)));
}

result reply::take_unfinished(std::string why) {
    if (error_ || committed()) return take();
    return std::unexpected(make_error(error::kind::outcome_unknown, std::move(why)));
}

}  // namespace flashsale::postgres
