#include "cell.hpp"

namespace flashsale::test {

std::vector<control> controls() {
    return {
        {"outbox", "crash at after_reserve"},
        {"idempotency_record", "redis: reply cut after execution, 1% of calls"},
        {"returning", "crash at before_ack"},
        {"given", "redis: SCRIPT FLUSH"},
    };
}

}  // namespace flashsale::test
