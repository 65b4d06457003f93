#include "load/traffic.hpp"

#include <flashsale/base/json_fields.hpp>

namespace flashsale::bench {

verdict judge(unsigned status, std::string_view code) {
    if (status >= 200 && status < 300) return verdict::accepted;
    if (status == 503) return code == "outcome_unknown" ? verdict::unknown : verdict::refused;
    // 408 answers a request that never arrived whole; the other 4xx are decisions.
    if (status >= 400 && status < 500) return verdict::refused;
    return verdict::unknown;
}

void append_post(std::string& out, std::string_view host, std::string_view path,
                 std::string_view idempotency_key, std::string_view json) {
    out.append("POST ").append(path).append(" HTTP/1.1\r\nHost: ").append(host);
    out.append("\r\nContent-Type: application/json\r\nIdempotency-Key: ").append(idempotency_key);
    out.append("\r\nContent-Length: ");
    append_integer(out, std::uint64_t{json.size()});
    out.append("\r\n\r\n").append(json);
}

}  // namespace flashsale::bench
