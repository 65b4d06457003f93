#include <flashsale/redis.hpp>
#include <flashsale/stock/gate_account.hpp>
#include <flashsale/stock/gate_loader.hpp>
#include <flashsale/stock/module.hpp>

namespace flashsale::stock {

namespace {

class redis_gate_admin final : public gate_admin {
public:
    redis_gate_admin(waiting wait, redis::client& client, std::uint32_t shard,
                     const redis_gate_options& options)
        : wait_(std::move(wait)), client_(client), shard_(shard), options_(options) {}

    std::unique_ptr<gate_attempt> attempt(std::uint64_t epoch, const uuid& token) override {
        return std::make_unique<gate_rebuild>(wait_, client_, shard_, epoch, token, options_);
    }

    bool ready() const override { return client_.ready(); }
    std::expected<gate_server, std::string> read_server() override {
        return read_gate_server(wait_, client_);
    }
    std::expected<std::optional<gate_header>, std::string> read_header() override {
        return read_gate_header(wait_, client_, shard_, options_);
    }
    std::expected<std::optional<gate_account>, std::string> read_account(
        const breath& breathe) override {
        return read_gate_account(wait_, client_, shard_, options_, breathe);
    }
    std::expected<bool, std::string> shut(std::uint64_t epoch) override {
        return shut_gate(wait_, client_, shard_, epoch, options_);
    }
    std::expected<holding, std::string> hold(std::uint64_t epoch, const std::string& why) override {
        return hold_gate(wait_, client_, shard_, epoch, why, options_);
    }
    std::expected<bool, std::string> release(std::uint64_t epoch, bool accepted) override {
        return release_gate(wait_, client_, shard_, epoch, accepted, options_);
    }
    bool is_ours(const gate_header& header) const override {
        return header.is_of(options_.deployment);
    }

private:
    const waiting wait_;
    redis::client& client_;
    const std::uint32_t shard_;
    const redis_gate_options options_;
};

}  // namespace

std::unique_ptr<gate_admin> make_redis_gate_admin(waiting wait, redis::client& client,
                                                  std::uint32_t shard,
                                                  const redis_gate_options& options) {
    return std::make_unique<redis_gate_admin>(std::move(wait), client, shard, options);
}

}  // namespace flashsale::stock
