// The vocoder's activation.

// x + sin(a x)^2 / a, a per channel. x: rows and channels so many numbers apart, columns side by side; y [rows, channels, columns].
extern "C" __global__ void __launch_bounds__(256) snake(const float* x, long long row_stride, long long channel_stride, const float* alpha,
    const float* inverse, float* y, int channels, int columns)
{
    release_next();
    wait_for_previous();
    const int channel = blockIdx.y, row = blockIdx.z;
    const float a = alpha[channel], scale = inverse[channel];
    const float* from = x + row * row_stride + channel * channel_stride;
    float* to = y + ((size_t)row * channels + channel) * columns;
#pragma unroll
    for (int i = 0; i < 4; i++)
    {
        const int column = (blockIdx.x * 4 + i) * blockDim.x + threadIdx.x;
        if (column < columns)
        {
            const float value = from[column], sine = sinf(a * value);
            to[column] = value + sine * (sine * scale);
        }
    }
}

// x [rows][channels][columns] -> halves [row][lead + columns][inputs], zeros in the lead and behind the channels.
extern "C" __global__ void __launch_bounds__(256) pack(const float* x, u16* y, long long part, int channels, int columns, int inputs, int lead)
{
    release_next();
    wait_for_previous();
    const int column = blockIdx.x * blockDim.x + threadIdx.x, channel = blockIdx.y * 8, row = blockIdx.z;
    if (column >= lead + columns)
        return;
    float v[8];
#pragma unroll
    for (int i = 0; i < 8; i++)
        v[i] = column >= lead && channel + i < channels ? x[((size_t)row * channels + channel + i) * columns + column - lead] : 0;
    store_halves(y + ((size_t)row * (lead + columns) + column) * inputs + channel, part, v);
}

// The mean of some arrays, leaky -> halves. Numbers: a multiple of 8.
extern "C" __global__ void __launch_bounds__(256) mean(const float* x, int arrays, long long numbers, float slope, u16* y)
{
    release_next();
    wait_for_previous();
    const long long at = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * 8;
    if (at >= numbers)
        return;
    float sum[8];
    load_floats(sum, x + at);
    for (int array = 1; array < arrays; array++)
    {
        float other[8];
        load_floats(other, x + array * numbers + at);
#pragma unroll
        for (int i = 0; i < 8; i++)
            sum[i] += other[i];
    }
#pragma unroll
    for (int i = 0; i < 8; i++)
    {
        const float mean = sum[i] / arrays;
        sum[i] = mean < 0 ? mean * slope : mean;
    }
    store_halves(y + at, numbers, sum);
}
