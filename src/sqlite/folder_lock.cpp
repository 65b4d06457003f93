#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

#include <flashsale/sqlite.hpp>

namespace flashsale::sqlite {

namespace {

[[noreturn]] void refuse(const std::filesystem::path& what, const std::string& why) {
    throw std::runtime_error(what.string() + ": " + why);
}

std::string reason(int number) {
    return std::generic_category().message(number);
}

/// A folder that a power failure takes away would take the files in it along.
void sync_folder(const std::filesystem::path& folder) {
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
    const int number = errno;
    if (descriptor >= 0) ::close(descriptor);
    if (!synced) refuse(folder, "cannot be synced: " + reason(number));
}

void create(const std::filesystem::path& folder, mode_t mode) {
    if (std::filesystem::is_directory(folder)) return;
    const auto parent = std::filesystem::absolute(folder).parent_path();
    if (!parent.empty() && parent != folder) create(parent, S_IRWXU | S_IRWXG | S_IRWXO);
    if (::mkdir(folder.c_str(), mode) != 0 && errno != EEXIST)
        refuse(folder, "cannot be created: " + reason(errno));
    sync_folder(parent);
}

std::string holder_of(int descriptor) {
    std::array<char, 32> text{};
    const auto size = ::pread(descriptor, text.data(), text.size() - 1, 0);
    std::string pid(text.data(), size < 0 ? 0 : static_cast<std::size_t>(size));
    pid.erase(std::min(pid.find('\n'), pid.size()));
    return pid.empty() ? "" : ", pid " + pid;
}

}  // namespace

folder_lock::folder_lock(const std::filesystem::path& folder) {
    const bool is_new = !std::filesystem::is_directory(folder);
    create(std::filesystem::absolute(folder).lexically_normal(), S_IRWXU);
    // For its owner alone, whatever the umask has taken away. The mode of one that was there stays:
    // it is its owner's to change.
    if (is_new && ::chmod(folder.c_str(), S_IRWXU) != 0)
        refuse(folder, "cannot be kept from others: " + reason(errno));
    const auto file = folder / "lock";
    descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor_ >= 0) {
        (void)!::fchmod(descriptor_, S_IRUSR | S_IWUSR);
    } else if (errno == EEXIST) {
        descriptor_ = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    }
    if (descriptor_ < 0) refuse(file, "cannot be opened: " + reason(errno));
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
        const int number = errno;
        const std::string holder = holder_of(descriptor_);
        ::close(descriptor_);
        if (number != EWOULDBLOCK) refuse(file, "cannot be locked: " + reason(number));
        refuse(folder, "another flashsale process uses this folder" + holder +
                           ": end it, or give this one a folder of its own");
    }
    // For people alone; on a full disk it is not there, and the lock holds all the same.
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(descriptor_, 0) == 0) {
        (void)!::pwrite(descriptor_, pid.data(), pid.size(), 0);
    }
}

folder_lock::~folder_lock() {
    ::close(descriptor_);
}

}  // namespace flashsale::sqlite
