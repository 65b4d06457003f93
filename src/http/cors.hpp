#pragma once

#include <flashsale/http.hpp>

namespace flashsale::http {

/// The header lines by which a browser lets pages of other origins ask (the Fetch standard's CORS
/// protocol). Never with credentials: cookies and the like have no meaning here. On a worker's
/// thread, and outlives the worker's connections.
class cors_policy {
public:
    /// Origins, or `*`; none: nothing is said of it.
    explicit cors_policy(const std::vector<std::string>& origins);

    bool is_used() const { return used_; }

    /// For an answer to a request of this origin (empty: of none), and whether it is let in.
    struct verdict {
        const std::string* lines;
        bool let_in;
    };
    verdict of(std::string_view origin) const;

private:
    struct known {
        std::string origin;
        std::string lines;
    };

    bool used_;
    bool everybody_;
    std::vector<known> known_;
    std::string others_;  ///< what an answer to any other origin has
};

/// What the answer to a preflight has beside those. A literal.
std::string_view preflight_lines(unsigned methods);

}  // namespace flashsale::http
