// The products of flow_slices.cu by the tensor cores' own instructions of 64 rows (Hopper's), which read both sides from shared memory.

#if BF16 && HEAD_DIM == 64 && defined(__CUDA_ARCH_FEAT_SM90_ALL)

// What the tensor cores are told of a tile in shared memory, [*, 64] bfloat16 in rows of 128 bytes whose 16-byte pieces lie in another order in each of
// 8 rows (piece ^ row % 8), at a multiple of 1,024 bytes: where it begins, 1,024 bytes from 8 rows to the next 8, and the order.
__device__ __forceinline__ u64 describe_rows(const void* tile)
{
    return ((u64)__cvta_generic_to_shared(tile) & 0x3ffff) >> 4 | 1ull << 16 | 64ull << 32 | 1ull << 62;
}

// d[64, N] += a[64, 16] b[N, 16] by a group of four warps, of which each has 16 rows as at multiply_add.
#define SUMS_OF_TILE(N) "+f"(d[N][0]), "+f"(d[N][1]), "+f"(d[N][2]), "+f"(d[N][3])

__device__ __forceinline__ void multiply_add_group(float (&d)[8][4], u64 a, u64 b)
{
    asm volatile(
        "{\n.reg .pred p;\nsetp.ne.b32 p, %34, 0;\nwgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
        "}, %32, %33, p, 1, 1, 0, 0;\n}"
        : SUMS_OF_TILE(0), SUMS_OF_TILE(1), SUMS_OF_TILE(2), SUMS_OF_TILE(3), SUMS_OF_TILE(4), SUMS_OF_TILE(5),
          SUMS_OF_TILE(6), SUMS_OF_TILE(7)
        : "l"(a), "l"(b), "r"(1));
}

__device__ __forceinline__ void multiply_add_group(float (&d)[12][4], u64 a, u64 b)
{
    asm volatile(
        "{\n.reg .pred p;\nsetp.ne.b32 p, %50, 0;\nwgmma.mma_async.sync.aligned.m64n96k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47"
        "}, %48, %49, p, 1, 1, 0, 0;\n}"
        : SUMS_OF_TILE(0), SUMS_OF_TILE(1), SUMS_OF_TILE(2), SUMS_OF_TILE(3), SUMS_OF_TILE(4), SUMS_OF_TILE(5),
          SUMS_OF_TILE(6), SUMS_OF_TILE(7), SUMS_OF_TILE(8), SUMS_OF_TILE(9), SUMS_OF_TILE(10), SUMS_OF_TILE(11)
        : "l"(a), "l"(b), "r"(1));
}

#undef SUMS_OF_TILE

// As Slices. Shared memory, from a multiple of 1,024 bytes on: the rows' slice [stage][rows, 64], rows rounded up to 8, and the weights' [stage][OUTPUTS,
// 64]. The tensor cores take 64 rows; those that are not there are what lies behind, whose sums nobody reads.
template <int INPUTS, int OUTPUTS_, int CLUSTER_>
struct WideSlices : Slices<INPUTS, OUTPUTS_, CLUSTER_>
{
    using Base = Slices<INPUTS, OUTPUTS_, CLUSTER_>;
    static constexpr int OUTPUTS = OUTPUTS_, CLUSTER = CLUSTER_, SLICE = INPUTS / CLUSTER, STAGE = 64, STAGES = SLICE / STAGE;

    static __device__ __forceinline__ uint4* begin(uint4* shared)
    {
        return shared + (0u - (u32)__cvta_generic_to_shared(shared)) % 1024 / 16;
    }

    static __device__ __forceinline__ element* rows_tile(uint4* shared, int rows, int stage)
    {
        return (element*)shared + stage * ((rows + 7) / 8 * 8) * STAGE;
    }

    static __device__ __forceinline__ element* weights_tile(uint4* shared, int rows, int stage)
    {
        return rows_tile(shared, rows, STAGES) + stage * OUTPUTS * STAGE;
    }

    static __device__ __forceinline__ void fetch_weights(uint4* shared, const element* weight, int rows, int rank)
    {
        constexpr int PIECES = SLICE / 8;
        for (int i = threadIdx.x; i < OUTPUTS * PIECES; i += SLICE_THREADS)
        {
            const int output = i / PIECES, part = i % PIECES;
            copy_async(weights_tile(shared, rows, part / 8) + output * STAGE + ((part ^ output) & 7) * 8,
                weight + (size_t)output * INPUTS + rank * SLICE + part * 8);
        }
        commit_copies();
    }

    static __device__ __forceinline__ void fetch_rows(uint4* shared, const element* x, int rows, int rank)
    {
#pragma unroll
        for (int stage = 0; stage < STAGES; stage++)
        {
            element* const tile = rows_tile(shared, rows, stage);
#pragma unroll
            for (int i = 0; i < SLICE_ROWS * 8 / SLICE_THREADS; i++)
            {
                const int item = threadIdx.x + i * SLICE_THREADS, row = item / 8, part = item % 8;
                if (row < rows)
                    copy_async(tile + row * STAGE + (part ^ row & 7) * 8, x + (size_t)row * INPUTS + rank * SLICE + stage * STAGE + part * 8);
            }
            commit_copies();
        }
    }

    template <typename Meanwhile>
    static __device__ __forceinline__ void multiply(uint4* shared, int rows, Meanwhile meanwhile)
    {
        const int lane = threadIdx.x % 32, group = threadIdx.x / 128 * 64, first = group + threadIdx.x / 32 % 4 * 16;
        float sums[OUTPUTS / 8][4] = {};
#pragma unroll
        for (int stage = 0; stage < STAGES; stage++)
        {
            Base::template wait_for_stage<STAGES>(stage);
            asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); // the tensor cores see what this thread's copies brought
            __syncthreads();
            if (group >= rows)
                continue;
            asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
            const u64 a = describe_rows(rows_tile(shared, rows, stage) + group * STAGE), b = describe_rows(weights_tile(shared, rows, stage));
#pragma unroll
            for (int k = 0; k < STAGE / 16; k++)
                multiply_add_group(sums, a + k * 2, b + k * 2); // 32 bytes on
            asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
        }
        asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
        __syncthreads(); // nobody reads rows and weights
        meanwhile();
        float* const to = (float*)shared + (first + lane / 4) * Base::SUMS + lane % 4 * 2;
#pragma unroll
        for (int half = 0; half < 2; half++)
            if (first + half * 8 + lane / 4 < rows)
#pragma unroll
                for (int n = 0; n < OUTPUTS / 8; n++)
                    *(float2*)(to + half * 8 * Base::SUMS + n * 8) = make_float2(sums[n][2 * half], sums[n][2 * half + 1]);
        cluster_sync();
    }
};

extern "C" __global__ void CLUSTER_OF(4) flow_project_wide(const element* x, const float2* moments, const element* weight, const float* slope,
    const float* offset, const float* turns, const long long* places, int columns, element* qkv, element* pages, int count, float epsilon)
{
    normed_slices<WideSlices<DIM, 96, 4>>(x, moments, weight, count, epsilon,
        SlicedProjection { slope, offset, turns, places, columns, qkv, pages });
}

extern "C" __global__ void CLUSTER_OF(4) flow_up_wide(const element* x, const float2* moments, const element* weight, const float* slope,
    const float* offset, element* y, int count, float epsilon)
{
    normed_slices<WideSlices<DIM, 64, 4>>(x, moments, weight, count, epsilon, SlicedActivation { slope, offset, y });
}

#define ADD_WIDE(NAME, INPUTS) \
    extern "C" __global__ void CLUSTER_OF(8) flow_##NAME##_wide(const element* x, const element* weight, const element* bias, const float* gate, \
        const float* scale, float* h, element* scaled, float2* moments, int count) \
    { \
        added_slices<WideSlices<INPUTS, 64, 8>>(x, weight, bias, gate, scale, h, scaled, moments, count); \
    }

#if DIM % 512 == 0
ADD_WIDE(out, DIM)
#endif
#if HIDDEN % 512 == 0
ADD_WIDE(down, HIDDEN)
#endif

#endif
