#include "metrics.hpp"

#include <utility>

namespace flashsale::http {

metric connections_open{metric::kind::gauge, "http_connections", "Open HTTP connections."};
metric connections_total{metric::kind::counter, "http_connections_total",
                         "HTTP connections accepted."};
metric connections_refused_total{metric::kind::counter, "http_connections_refused_total",
                                 "HTTP connections refused because connections_max was reached."};
metric accept_errors_total{metric::kind::counter, "http_accept_errors_total",
                           "Failed accepts, such as those for lack of file descriptors."};
metric requests_total{metric::kind::counter, "http_requests_total",
                      "HTTP requests read, the malformed ones included."};
metric answers_4xx_total{metric::kind::counter, "http_answers_4xx_total",
                         "HTTP answers with a status of 400 to 499."};
metric answers_5xx_total{metric::kind::counter, "http_answers_5xx_total",
                         "HTTP answers with a status of 500 to 599, but for 501 and 505."};
metric answers_unsupported_total{
    metric::kind::counter, "http_answers_unsupported_total",
    "HTTP answers 501 and 505: a coding or version that the client may not use here."};
metric timeouts_total{metric::kind::counter, "http_timeouts_total",
                      "HTTP connections ended by a request or write deadline."};

metric streams_open{metric::kind::gauge, "http_streams",
                    "HTTP answers on their way that are made while they are sent."};
metric streams_total{metric::kind::counter, "http_streams_total", "HTTP streams begun."};
metric streams_refused_total{metric::kind::counter, "http_streams_refused_total",
                             "HTTP streams refused because streams_max was reached."};
metric streams_failed_total{metric::kind::counter, "http_streams_failed_total",
                            "HTTP streams cut off because there was nothing more to send."};

void tally::publish() {
    if (requests != 0) requests_total.add(std::exchange(requests, 0));
    if (answers_4xx != 0) answers_4xx_total.add(std::exchange(answers_4xx, 0));
    if (answers_5xx != 0) answers_5xx_total.add(std::exchange(answers_5xx, 0));
    if (answers_unsupported != 0) {
        answers_unsupported_total.add(std::exchange(answers_unsupported, 0));
    }
}

}  // namespace flashsale::http
