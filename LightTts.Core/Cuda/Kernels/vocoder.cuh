// What the vocoder's kernels are written in, beside primitives.cuh: numbers of 16 bits with 11 significant ones, tensor cores' products of these and
// of 64-bit numbers, and copies into shared memory that are under way while others are computed with.

// A row of a batch: a window of an utterance. Lengths and places are in frames of it.
struct Window
{
    long long known;        // of how many frames the pitch was determined before
    long long end;          // where the utterance ends, or the buffers
    long long first;        // the first frame whose samples are wanted
    long long count;        // where the window ends; 0: nobody wants the row
    const float* mel;       // [channel][count]
    long long mel_stride;   // numbers from a channel to the next
    const double* pitch;    // [1 + harmonics][known]: frequencies, and turns summed from the utterance's beginning
    long long pitch_stride;
    const float* noise;     // a table
    long long noise_start;  // where in it the window begins
};

// Two numbers in a word, the first below; those that a half does not hold become the largest, and what is no number stays that.
__device__ __forceinline__ u32 to_halves(float first, float second)
{
    u32 pair;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
    asm("min.NaN.f16x2 %0, %1, %2;" : "=r"(pair) : "r"(pair), "r"(0x7bff7bffu));
    asm("max.NaN.f16x2 %0, %1, %2;" : "=r"(pair) : "r"(pair), "r"(0xfbfffbffu));
    return pair;
}

__device__ __forceinline__ float2 from_halves(u32 pair)
{
    float2 v;
    asm("{\n\t.reg .f16 low, high;\n\tmov.b32 {low, high}, %2;\n\tcvt.f32.f16 %0, low;\n\tcvt.f32.f16 %1, high;\n\t}"
        : "=f"(v.x), "=f"(v.y) : "r"(pair));
    return v;
}

// d[16 x 8] += a[16 x 16] b[16 x 8] with 32-bit sums; who holds what is as in multiply_add.
__device__ __forceinline__ void multiply_add_halves(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1)
{
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// d[8 x 8] += a[8 x 4] b[4 x 8] in 64 bits. With g = lane / 4 and t = lane % 4 a lane holds a: row g at t; b: column g at t; d: row g at 2t, 2t + 1.
__device__ __forceinline__ void multiply_add_doubles(double (&d)[2], double a, double b)
{
    asm("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0, %1}, {%2}, {%3}, {%0, %1};" : "+d"(d[0]), "+d"(d[1]) : "d"(a), "d"(b));
}

// Where something lies in shared memory, as the following take it.
__device__ __forceinline__ u32 shared_address(const void* shared)
{
    u32 address;
    asm("{\n\t.reg .u64 wide;\n\tcvta.to.shared.u64 wide, %1;\n\tcvt.u32.u64 %0, wide;\n\t}" : "=r"(address) : "l"(shared));
    return address;
}

// a of multiply_add_halves: lane l gives the address of row l % 16 at column 0 or 8, by l / 16.
__device__ __forceinline__ void load_halves(u32 (&a)[4], u32 address)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
        : "=r"(a[0]), "=r"(a[1]), "=r"(a[2]), "=r"(a[3]) : "r"(address) : "memory");
}

// Begins to copy 16 bytes, or to write as many zeros.
__device__ __forceinline__ void fetch(u32 address, const void* global, bool there)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" :: "r"(address), "l"(global), "r"(there ? 16 : 0) : "memory");
}

// Ends a group of copies.
__device__ __forceinline__ void end_fetches()
{
    asm volatile("cp.async.commit_group;" ::: "memory");
}

// Waits for all groups but the last so many.
template <int PENDING>
__device__ __forceinline__ void await_fetches()
{
    asm volatile("cp.async.wait_group %0;" :: "n"(PENDING) : "memory");
}
