// A shared library that loads, and has none of the functions that an engine needs.
extern "C" int AvocetNotAnEngine() {
  return 0;
}
