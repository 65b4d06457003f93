#pragma once

// The ports to a shard's gate from the side of recovery, which looks at it, shuts it, and loads it
// anew from the record; orders go another way (gate.hpp). Blocking; one thread. An error's text is
// for people.

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "flashsale/base/uuid.hpp"
#include "flashsale/base/waiting.hpp"
#include "flashsale/stock/allocation.hpp"
#include "flashsale/stock/gate.hpp"

namespace flashsale::redis {
class client;
}

namespace flashsale::stock {

struct gate_account;
struct gate_header;
struct gate_server;
enum class holding;
struct redis_gate_options;

/// Called between pieces; an error ends what it is called from.
using breath = std::function<std::expected<void, std::string>()>;

/// What a product's units of a buyer are counted for.
struct counting {
    bool buyers = false;    ///< gate_product::counts_buyers()
    std::int64_t sale = 0;  ///< gate_product::counting_sale()
};

/// What the record is loaded into.
class gate_loader {
public:
    virtual ~gate_loader() = default;

    /// Each once, by id, however often it is loaded; at most a few thousand at a time.
    virtual std::expected<void, std::string> load(
        std::span<const allocation> taken,
        const std::function<counting(std::int64_t product_id)>& counts) = 0;
    /// What buyers have returned in all, each once; after what they took.
    virtual std::expected<void, std::string> load(std::span<const buyer_returns> buyers) = 0;
    /// Products, each once. Returns what is free of each now.
    virtual std::expected<std::vector<std::int64_t>, std::string> load(
        std::span<const gate_product> products) = 0;
};

/// One attempt to rebuild a gate that outlives its process. Each step insists on the attempt's
/// epoch: false, or an error, means that nothing was changed by it, or that the attempt has to be
/// given up.
class gate_attempt : public gate_loader {
public:
    /// The server may be written to; not a replica.
    virtual std::expected<void, std::string> check_server() = 0;
    enum class closing {
        met,        ///< one that was opened under one of `older`: nothing older grants from here on
        not_met,    ///< none of those is here: it is gone, or somewhere else, and may still grant
        overtaken,  ///< a newer one is here: nothing was changed
    };
    virtual std::expected<closing, std::string> close(std::span<const uuid> older) = 0;
    /// Gives the open gate of this epoch this token instead of `old`. False: it has another,
    /// or is another.
    virtual std::expected<bool, std::string> renew(const uuid& old) = 0;
    /// The outbox entries of all older gates that are there, in pages; an error of `each` ends it.
    virtual std::expected<void, std::string> for_each_survivor(
        const std::function<std::expected<void, std::string>(std::vector<std::string> events)>&
            each) = 0;
    /// A gate that grants nothing yet, and knows nothing.
    virtual std::expected<bool, std::string> begin() = 0;

    /// Opens what begin() has made. False: it is not there any more.
    virtual std::expected<bool, std::string> open() = 0;

    /// Removes what older gates and attempts have left, and waits until the server has the memory
    /// again (but not for ever: others' keys may be on their way too).
    virtual std::expected<void, std::string> remove_older(const breath& breathe) = 0;
    /// Removes what this attempt has loaded.
    virtual std::expected<void, std::string> remove_own(const breath& breathe) = 0;
};

/// The server and the header of one shard's gate, whether it is open or not. What each call means
/// is said by the function that it is named after in gate_server.hpp and gate_account.hpp.
class gate_admin {
public:
    virtual ~gate_admin() = default;

    /// The one that has this epoch, and this token.
    virtual std::unique_ptr<gate_attempt> attempt(std::uint64_t epoch, const uuid& token) = 0;

    /// The connection stands, as far as is known.
    virtual bool ready() const = 0;
    virtual std::expected<gate_server, std::string> read_server() = 0;
    virtual std::expected<std::optional<gate_header>, std::string> read_header() = 0;
    virtual std::expected<std::optional<gate_account>, std::string> read_account(
        const breath& breathe) = 0;
    virtual std::expected<bool, std::string> shut(std::uint64_t epoch) = 0;
    virtual std::expected<holding, std::string> hold(std::uint64_t epoch,
                                                     const std::string& why) = 0;
    virtual std::expected<bool, std::string> release(std::uint64_t epoch, bool accepted) = 0;
    /// Whether one of another deployment is no business of this one.
    virtual bool is_ours(const gate_header& header) const = 0;
};

/// Blocks, by `wait`.
std::unique_ptr<gate_admin> make_redis_gate_admin(waiting wait, redis::client& client,
                                                  std::uint32_t shard,
                                                  const redis_gate_options& options);

}  // namespace flashsale::stock
