# Packages, and the functions with which every folder declares its library, its program or its tests.
find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(RocksDB CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(GTest CONFIG REQUIRED)
find_package(benchmark CONFIG REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Boost REQUIRED)
find_path(RAPIDJSON_HEADERS rapidjson/reader.h REQUIRED)
add_library(RapidJSON INTERFACE)
target_include_directories(RapidJSON SYSTEM INTERFACE ${RAPIDJSON_HEADERS})
# The core only: the package's own description asks for the web server and the push client, too.
find_path(PROMETHEUS_HEADERS prometheus/text_serializer.h REQUIRED)
find_library(PROMETHEUS_CORE prometheus-cpp-core REQUIRED)
add_library(prometheus_cpp_core INTERFACE)
target_include_directories(prometheus_cpp_core SYSTEM INTERFACE ${PROMETHEUS_HEADERS})
target_link_libraries(prometheus_cpp_core INTERFACE ${PROMETHEUS_CORE})
if(NOT AVOCET_WITHOUT_CAF_AND_GRPC)
  find_package(gRPC CONFIG REQUIRED)
  find_package(CAF REQUIRED)
  find_package(CLI11 CONFIG REQUIRED)
endif()

add_library(avocet_options INTERFACE)
target_include_directories(avocet_options INTERFACE ${PROJECT_SOURCE_DIR})
# Off: designated initializers leave the other members at their defaults on purpose; and g++ 12 sees
# overlapping copies in std::string operator+ that are not there (GCC bug 105651).
target_compile_options(avocet_options INTERFACE -Wall -Wextra -Werror -Wno-missing-field-initializers
                                                $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
target_link_libraries(avocet_options INTERFACE Threads::Threads)
if(AVOCET_FUZZ)
  target_compile_options(avocet_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(AVOCET_COVERAGE)
  # Atomic: threads count together. Absolute names, or the report finds no sources of objects in other folders.
  target_compile_options(avocet_options INTERFACE --coverage -fprofile-update=atomic -fprofile-abs-path)
  target_link_options(avocet_options INTERFACE --coverage)
endif()
if(AVOCET_SANITIZE)
  # CAF binds references to null in init_fun_factory.hpp; everything else of UBSan stays on.
  target_compile_options(avocet_options INTERFACE -fsanitize=${AVOCET_SANITIZE} -fno-omit-frame-pointer
                                                  -fno-sanitize-recover=all)
  if(NOT AVOCET_SANITIZE STREQUAL "thread")
    target_compile_options(avocet_options INTERFACE -fno-sanitize=null)
  endif()
  # Boost.Asio has fences, which gcc's thread sanitizer does not know; what they order is locked besides.
  if(AVOCET_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(avocet_options INTERFACE -Wno-tsan)
  endif()
  target_link_options(avocet_options INTERFACE -fsanitize=${AVOCET_SANITIZE})
endif()

# avocet_library(NAME sources...): a static library with the project's warnings and include root.
function(avocet_library name)
  add_library(${name} STATIC ${ARGN})
  target_link_libraries(${name} PUBLIC avocet_options)
endfunction()

# avocet_test(NAME [LABEL label] SOURCES ... LIBRARIES ...): a GoogleTest program, one ctest entry per test.
function(avocet_test name)
  cmake_parse_arguments(arg "" "LABEL;TIMEOUT" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE avocet_options ${arg_LIBRARIES} GTest::gmock GTest::gtest_main)
  # What is tested keeps its own optimization; the tests themselves compile in half the time this way.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  include(GoogleTest)
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST
                       PROPERTIES LABELS "${arg_LABEL}" TIMEOUT ${arg_TIMEOUT})
endfunction()
