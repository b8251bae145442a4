// What stands around the matrix products of the flow's diffusion transformer. DIM: its width, of which HEAD_DIM numbers are a head's.

static_assert(DIM % 4 == 0, "four numbers are moved together");
constexpr int NORM_ROWS = 4;                  // of a block: a warp for each
constexpr int NORM_EACH = (DIM + 127) / 128; // fours of a lane

__device__ __forceinline__ float4 read_four(const float* x) { return load_here((const float4*)x); }
__device__ __forceinline__ float4 read_four(const u16* x)
{
    const float2 v = load_here((const float2*)x);
    const u32 first = __float_as_uint(v.x), second = __float_as_uint(v.y);
    return make_float4(lower(first), upper(first), lower(second), upper(second));
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

// x += gate * branch: a lane's part of a row.
__device__ __forceinline__ void add_branch(float4 (&x)[NORM_EACH], const float4 (&branch)[NORM_EACH], const float* gate)
{
#pragma unroll
    for (int i = 0; i < NORM_EACH; i++)
    {
        const int at = i * 128 + threadIdx.x % 32 * 4;
        const float4 g = at < DIM ? __ldg((const float4*)(gate + at)) : make_float4(0, 0, 0, 0);
        x[i] = make_float4(x[i].x + branch[i].x * g.x, x[i].y + branch[i].y * g.y, x[i].z + branch[i].z * g.z, x[i].w + branch[i].w * g.w);
    }
}

// A lane's part of a row; zeros beyond it.
template <typename T>
__device__ __forceinline__ void read_row(float4 (&x)[NORM_EACH], const T* row)
{
#pragma unroll
    for (int i = 0; i < NORM_EACH; i++)
    {
        const int at = i * 128 + threadIdx.x % 32 * 4;
        x[i] = at < DIM ? read_four(row + at) : make_float4(0, 0, 0, 0);
    }
}

// A lane's part of a row -> (x - mean) / deviation * scale + shift.
__device__ __forceinline__ void normalise_row(float4 (&x)[NORM_EACH], const float* scale, const float* shift, float epsilon)
{
    const int lane = threadIdx.x % 32;
    float sum = 0, squares = 0;
#pragma unroll
    for (int i = 0; i < NORM_EACH; i++)
        sum += x[i].x + x[i].y + x[i].z + x[i].w; // zeros beyond the row
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
        const float4 a = __ldg((const float4*)(scale + at)), b = __ldg((const float4*)(shift + at));
        x[i] = make_float4(x[i].x * inverse * a.x + b.x, x[i].y * inverse * a.y + b.y, x[i].z * inverse * a.z + b.z, x[i].w * inverse * a.w + b.w);
    }
}

// h [rows, DIM] and gated branches of it -> y = (x - mean) / deviation * scale + shift of x = h + gate * branch + ...; STORES: h = x. The last rows
// first: those are what the product before has just written, and the first are what the next one begins with, while not everything stays near.
// Where there are branches, only the last comes from the kernel before: the rest is on its way while that one ends.
template <int BRANCHES, bool STORES>
__device__ __forceinline__ void normalise_rows(float* h, const element* const (&branches)[2], const float* const (&gates)[2], const float* scale,
    const float* shift, element* y, int rows, float epsilon)
{
    release_next();
    const int row = rows - 1 - (int)(blockIdx.x * NORM_ROWS + threadIdx.x / 32), lane = threadIdx.x % 32;
    if (row < 0)
        return;
    const size_t first = (size_t)row * DIM;
    float4 x[NORM_EACH], branch[NORM_EACH];
    if (BRANCHES == 0)
        wait_for_previous();
    read_row(x, h + first);
    if (BRANCHES == 2)
    {
        read_row(branch, branches[0] + first);
        add_branch(x, branch, gates[0]);
    }
    if (BRANCHES > 0)
    {
        wait_for_previous();
        read_row(branch, branches[BRANCHES - 1] + first);
        add_branch(x, branch, gates[BRANCHES - 1]);
    }
    if (STORES)
#pragma unroll
        for (int i = 0; i < NORM_EACH; i++)
            if (i * 128 + lane * 4 < DIM)
                write_four(h + first + i * 128 + lane * 4, x[i]);
    normalise_row(x, scale, shift, epsilon);
#pragma unroll
    for (int i = 0; i < NORM_EACH; i++)
        if (i * 128 + lane * 4 < DIM)
            write_four(y + first + i * 128 + lane * 4, x[i]);
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
// and sine of each pair. FRAMES: frames of a page. A warp a row, NORM_ROWS of them a block.
extern "C" __global__ void __launch_bounds__(32 * NORM_ROWS) flow_turn(element* qkv, const float* turns, int frames, element* pages,
    const long long* places, int columns)
{
    release_next();
    const int index = blockIdx.x * NORM_ROWS + threadIdx.x / 32, lane = threadIdx.x % 32, frame = index % frames;
    if (index >= 2 * frames)
        return;
    element* row = qkv + (size_t)index * (3 * DIM);
    element* kept = row + DIM;
    if (pages != nullptr) // where they lie is the step's, not the kernel's before
        kept = pages + ((size_t)places[(size_t)(frame / FRAMES) * columns + columns - 1] + index / frames * FRAMES + frame % FRAMES) * (2 * DIM);
    const float* turn = turns + (size_t)frame * HEAD_DIM;
    wait_for_previous();
    for (int at = 2 * lane; at < HEAD_DIM; at += 64)
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
    constexpr int PIECE = 16 / sizeof(element), REST = (2 * DIM - HEAD_DIM) / PIECE; // numbers that are moved together
    constexpr int TOGETHER = 8;                                                     // pieces of a lane that are under way at once
    for (int first = lane; first < REST; first += 32 * TOGETHER)
    {
        uint4 pieces[TOGETHER];
#pragma unroll
        for (int i = 0; i < TOGETHER; i++)
            if (first + 32 * i < REST)
                pieces[i] = *(const uint4*)(row + DIM + HEAD_DIM + (first + 32 * i) * PIECE);
#pragma unroll
        for (int i = 0; i < TOGETHER; i++)
            if (first + 32 * i < REST)
                *(uint4*)(kept + HEAD_DIM + (first + 32 * i) * PIECE) = pieces[i];
    }
}
