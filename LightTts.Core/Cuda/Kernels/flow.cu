// What stands around the matrix products of the flow's diffusion transformer. DIM: its width, of which HEAD_DIM numbers are a head's.

static_assert(DIM % 4 == 0, "four numbers are moved together");
constexpr int NORM_ROWS = 4;                  // of a block: a warp for each
constexpr int NORM_EACH = (DIM + 127) / 128; // fours of a lane

__device__ __forceinline__ float4 read_four(const float* x) { return *(const float4*)x; }
__device__ __forceinline__ float4 read_four(const u16* x)
{
    const uint2 v = *(const uint2*)x;
    return make_float4(lower(v.x), upper(v.x), lower(v.y), upper(v.y));
}

__device__ __forceinline__ void write_four(float* y, float4 x) { *(float4*)y = x; }
__device__ __forceinline__ void write_four(u16* y, float4 x) { *(uint2*)y = make_uint2(narrow_pair(x.x, x.y), narrow_pair(x.z, x.w)); }

__device__ __forceinline__ float sum_of_warp(float sum)
{
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
        sum += __shfl_xor_sync(0xffffffffu, sum, distance);
    return sum;
}

// h [rows, DIM] and gated branches of it -> y = (x - mean) / deviation * scale + shift of x = h + gate * branch + ...; STORES: h = x. The last rows
// first: those are what the product before has just written, and the first are what the next one begins with, while not everything stays near.
template <int BRANCHES, bool STORES>
__device__ __forceinline__ void normalise_rows(float* h, const element* const (&branches)[2], const float* const (&gates)[2], const float* scale,
    const float* shift, element* y, int rows, float epsilon)
{
    release_next();
    wait_for_previous();
    const int row = rows - 1 - (int)(blockIdx.x * NORM_ROWS + threadIdx.x / 32), lane = threadIdx.x % 32;
    if (row < 0)
        return;
    const size_t first = (size_t)row * DIM;
    float4 x[NORM_EACH];
#pragma unroll
    for (int i = 0; i < NORM_EACH; i++)
    {
        const int at = i * 128 + lane * 4;
        x[i] = at < DIM ? read_four(h + first + at) : make_float4(0, 0, 0, 0);
    }
#pragma unroll
    for (int n = 0; n < BRANCHES; n++)
#pragma unroll
        for (int i = 0; i < NORM_EACH; i++)
        {
            const int at = i * 128 + lane * 4;
            if (at >= DIM)
                continue;
            const float4 branch = read_four(branches[n] + first + at), gate = read_four(gates[n] + at);
            x[i] = make_float4(x[i].x + branch.x * gate.x, x[i].y + branch.y * gate.y, x[i].z + branch.z * gate.z, x[i].w + branch.w * gate.w);
        }
    float sum = 0, squares = 0;
#pragma unroll
    for (int i = 0; i < NORM_EACH; i++)
    {
        const int at = i * 128 + lane * 4;
        if (STORES && at < DIM)
            write_four(h + first + at, x[i]);
        sum += x[i].x + x[i].y + x[i].z + x[i].w; // zeros beyond the row
    }
    const float mean = sum_of_warp(sum) / DIM;
#pragma unroll
    for (int i = 0; i < NORM_EACH; i++)
    {
        x[i] = make_float4(x[i].x - mean, x[i].y - mean, x[i].z - mean, x[i].w - mean);
        if (i * 128 + lane * 4 < DIM)
            squares += x[i].x * x[i].x + x[i].y * x[i].y + x[i].z * x[i].z + x[i].w * x[i].w;
    }
    const float inverse = rsqrtf(sum_of_warp(squares) / DIM + epsilon);
#pragma unroll
    for (int i = 0; i < NORM_EACH; i++)
    {
        const int at = i * 128 + lane * 4;
        if (at >= DIM)
            continue;
        const float4 a = read_four(scale + at), b = read_four(shift + at);
        write_four(y + first + at, make_float4(x[i].x * inverse * a.x + b.x, x[i].y * inverse * a.y + b.y, x[i].z * inverse * a.z + b.z,
            x[i].w * inverse * a.w + b.w));
    }
}

// h [rows, DIM] -> y [rows, DIM].
extern "C" __global__ void __launch_bounds__(32 * NORM_ROWS) flow_normalise(const float* h, const float* scale, const float* shift, element* y,
    int rows, float epsilon)
{
    normalise_rows<0, false>((float*)h, { nullptr, nullptr }, { nullptr, nullptr }, scale, shift, y, rows, epsilon);
}

// The same of h + gate * branch, which is not kept.
extern "C" __global__ void __launch_bounds__(32 * NORM_ROWS) flow_normalise_sum(const float* h, const element* branch, const float* gate,
    const float* scale, const float* shift, element* y, int rows, float epsilon)
{
    normalise_rows<1, false>((float*)h, { branch, nullptr }, { gate, nullptr }, scale, shift, y, rows, epsilon);
}

// h += gate * branch + gate2 * branch2, then as above.
extern "C" __global__ void __launch_bounds__(32 * NORM_ROWS) flow_add_normalise(float* h, const element* branch, const float* gate,
    const element* branch2, const float* gate2, const float* scale, const float* shift, element* y, int rows, float epsilon)
{
    normalise_rows<2, true>(h, { branch, branch2 }, { gate, gate2 }, scale, shift, y, rows, epsilon);
}

// qkv [2 frames, 3 DIM]: turns the first head of queries and keys, pair by pair, the queries where they lie; keys and values go to the pages
// [*, 2 DIM], a block's own at the last of its `columns` places, or, where there are no pages, stay where they are. turns [frames, HEAD_DIM]: cosine
// and sine of each pair. FRAMES: frames of a page.
extern "C" __global__ void __launch_bounds__(256) flow_turn(element* qkv, const float* turns, int frames, element* pages, const long long* places,
    int columns)
{
    release_next();
    wait_for_previous();
    const int frame = blockIdx.x % frames;
    element* row = qkv + (size_t)blockIdx.x * (3 * DIM);
    element* kept = row + DIM;
    if (pages != nullptr)
        kept = pages + ((size_t)places[(size_t)(frame / FRAMES) * columns + columns - 1] + blockIdx.x / frames * FRAMES + frame % FRAMES) * (2 * DIM);
    const float* turn = turns + (size_t)frame * HEAD_DIM;
    for (int at = 2 * threadIdx.x; at < HEAD_DIM; at += 2 * blockDim.x)
    {
        const float cosine = turn[at], sine = turn[at + 1];
        const float k0 = widen(row[DIM + at]), k1 = widen(row[DIM + at + 1]), q0 = widen(row[at]), q1 = widen(row[at + 1]);
        kept[at] = narrow(k0 * cosine - k1 * sine);
        kept[at + 1] = narrow(k0 * sine + k1 * cosine);
        row[at] = narrow(q0 * cosine - q1 * sine);
        row[at + 1] = narrow(q0 * sine + q1 * cosine);
    }
    if (pages == nullptr)
        return;
    constexpr int PIECE = 16 / sizeof(element); // numbers that are moved together
    for (int at = HEAD_DIM + threadIdx.x * PIECE; at < 2 * DIM; at += blockDim.x * PIECE)
        *(uint4*)(kept + at) = *(const uint4*)(row + DIM + at);
}
