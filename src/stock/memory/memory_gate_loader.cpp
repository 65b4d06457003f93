#include <flashsale/stock/memory_loader.hpp>

#include <unordered_map>

namespace flashsale::stock {

namespace {

class memory_gate_loader final : public gate_loader {
public:
    memory_gate_loader(memory_gate_owner& gate, std::function<void(const allocation&)> loaded)
        : gate_(gate), loaded_(std::move(loaded)) {}

    std::expected<void, std::string> load(std::span<const allocation> taken,
                                          const std::function<counting(std::int64_t)>&) override {
        for (const allocation& one : taken) {
            if (!gate_.load(one))
                return std::unexpected("product " + std::to_string(one.product_id) +
                                       " is not loaded");
            free_.at(one.product_id) -= one.quantity;
            if (loaded_) loaded_(one);
        }
        return {};
    }
    std::expected<void, std::string> load(std::span<const buyer_returns> buyers) override {
        for (const buyer_returns& one : buyers)
            gate_.load(one);
        return {};
    }
    std::expected<std::vector<std::int64_t>, std::string> load(
        std::span<const gate_product> products) override {
        std::vector<std::int64_t> out;
        for (const gate_product& one : products) {
            const auto [at, is_new] = free_.try_emplace(one.id, one.supplied);
            if (is_new) gate_.load(one);
            out.push_back(at->second);
        }
        return out;
    }

private:
    memory_gate_owner& gate_;
    const std::function<void(const allocation&)> loaded_;
    std::unordered_map<std::int64_t, std::int64_t> free_;  // of each product
};

}  // namespace

std::unique_ptr<gate_loader> make_memory_gate_loader(
    memory_gate_owner& gate, std::function<void(const allocation&)> loaded) {
    return std::make_unique<memory_gate_loader>(gate, std::move(loaded));
}

}  // namespace flashsale::stock
