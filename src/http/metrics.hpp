#pragma once

#include <flashsale/base/metrics.hpp>

namespace flashsale::http {

extern metric connections_open;
extern metric connections_total;
extern metric connections_refused_total;
extern metric accept_errors_total;
extern metric requests_total;
extern metric answers_4xx_total;
extern metric answers_5xx_total;
extern metric answers_unsupported_total;
extern metric timeouts_total;
extern metric streams_open;
extern metric streams_total;
extern metric streams_refused_total;
extern metric streams_failed_total;

/// What one worker has counted since it last published: an atomic add per batch, not per request.
struct tally {
    std::int64_t requests = 0;
    std::int64_t answers_4xx = 0;
    std::int64_t answers_5xx = 0;
    std::int64_t answers_unsupported = 0;

    void count_answer(unsigned status) {
        // What the client asked for, not what the server failed at: no alarm may hang on it.
        const bool unsupported = status == 501 || status == 505;
        answers_4xx += status / 100 == 4;
        answers_5xx += status / 100 == 5 && !unsupported;
        answers_unsupported += unsupported;
    }
    void publish();
};

}  // namespace flashsale::http
